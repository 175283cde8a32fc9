//! "Did you mean": the valid word closest to what was written.

/// Below this Jaro-Winkler similarity two words have nothing to do with each other: `secs` and
/// `seconds` are at 0.90, `algoritm` and `algorithm` at 0.98, `shade` and `name` at 0.63.
const SIMILAR: f64 = 0.75;

/// The candidate most like `word`, if any is like it at all.
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

/// `` , did you mean `token_bucket`? Valid are `a`, `b` `` to be put behind ``unknown `…` ``.
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
