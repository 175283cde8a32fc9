//! "Did you mean": finds the valid word closest to a misspelt one.

/// Lowest Jaro-Winkler similarity of related words, from 0 to 1. `secs` and `seconds` have 0.90,
/// `algoritm` and `algorithm` 0.98, `shade` and `name` 0.63.
const SIMILAR: f64 = 0.75;

/// Returns the candidate most similar to `word`, if any is similar enough.
pub(crate) fn nearest<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let word = word.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(&word, candidate), candidate))
        .filter(|(similarity, _)| *similarity >= SIMILAR)
        .max_by(|(left, _), (right, _)| left.total_cmp(right))
        .map(|(_, candidate)| candidate)
}

/// Returns `` , did you mean `token_bucket`? Valid are `a`, `b` ``, to follow ``unknown `…` ``.
pub(crate) fn hint(suggestion: Option<&str>, valid: &[&str]) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_meant() {
        let words = ["seconds", "milliseconds", "times", "algorithm"];
        assert_eq!(nearest("secs", words), Some("seconds"));
        assert_eq!(nearest("Algoritm", words), Some("algorithm"));
        assert_eq!(nearest("tiems", words), Some("times"));
        assert_eq!(nearest("flavour", words), None);
    }
}
