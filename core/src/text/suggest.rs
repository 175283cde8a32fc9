//! "Did you mean": finds the valid word closest to an unknown one.

/// The lowest Jaro-Winkler similarity of related words, from 0 to 1. `secs` and `seconds` have
/// 0.90, `algoritm` and `algorithm` 0.98, `shade` and `name` 0.63.
const SIMILAR: f64 = 0.75;

/// Returns the candidate most similar to `word`, if any is similar enough. Case does not matter.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| {
            let similarity = strsim::jaro_winkler(&word, &candidate.to_lowercase());
            (similarity, candidate)
        })
        .filter(|(similarity, _)| *similarity >= SIMILAR)
        .max_by(|(left, _), (right, _)| left.total_cmp(right))
        .map(|(_, candidate)| candidate)
}

/// Returns `` , did you mean `token_bucket`? Valid are `a`, `b` ``, to follow ``unknown `…` ``.
pub fn hint(suggestion: Option<&str>, valid: &[&str]) -> String {
    let valid = valid
        .iter()
        .map(|word| format!("`{word}`"))
        .collect::<Vec<_>>()
        .join(", ");
    match suggestion {
        Some(suggestion) => format!(", did you mean `{suggestion}`? Valid are {valid}"),
        None => format!(": valid are {valid}"),
    }
}

/// Returns `` unknown key `x`, did you mean `y`? Valid are `y`, `z` ``.
pub fn unknown(what: &str, word: &str, valid: &[&str]) -> String {
    let hint = hint(nearest(word, valid.iter().copied()), valid);
    format!("unknown {what} `{word}`{hint}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_meant() {
        let words = ["seconds", "milliseconds", "times", "algorithm", "DELETE"];
        assert_eq!(nearest("secs", words), Some("seconds"));
        assert_eq!(nearest("Algoritm", words), Some("algorithm"));
        assert_eq!(nearest("tiems", words), Some("times"));
        assert_eq!(nearest("delet", words), Some("DELETE"));
        assert_eq!(nearest("flavour", words), None);
    }

    #[test]
    fn lists_the_valid_words() {
        assert_eq!(
            unknown("key", "tiems", &["rate", "times"]),
            "unknown key `tiems`, did you mean `times`? Valid are `rate`, `times`"
        );
        assert_eq!(
            unknown("key", "flavour", &["rate", "times"]),
            "unknown key `flavour`: valid are `rate`, `times`"
        );
    }
}
