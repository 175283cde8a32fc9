//! "Did you mean": the valid word closest to an unknown one, as the attribute suggests it.

/// Smallest similarity of a suggestion; `macros/src/nearest.rs` explains the figure.
const SIMILAR: f64 = 0.75;

/// Returns `` unknown key `x`, did you mean `y`? Valid are `y`, `z` ``.
pub(crate) fn unknown(what: &str, word: &str, valid: &[&str]) -> String {
    let list = valid.iter().map(|word| format!("`{word}`"));
    let list = list.collect::<Vec<_>>().join(", ");
    match nearest(word, valid) {
        Some(near) => format!("unknown {what} `{word}`, did you mean `{near}`? Valid are {list}"),
        None => format!("unknown {what} `{word}`: valid are {list}"),
    }
}

fn nearest<'a>(word: &str, candidates: &[&'a str]) -> Option<&'a str> {
    let word = word.to_lowercase();
    candidates
        .iter()
        .map(|candidate| {
            let similarity = strsim::jaro_winkler(&word, &candidate.to_lowercase());
            (similarity, *candidate)
        })
        .filter(|(similarity, _)| *similarity >= SIMILAR)
        .max_by(|(left, _), (right, _)| left.total_cmp(right))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_meant() {
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
