//! Durations in words: `"500ms"`, `"1h 30m"`.

use std::time::Duration;

/// Parses a duration in words. `example` is the argument in correct form, for the error:
/// `block = "60s"`.
///
/// # Errors
///
/// If the text has another form: what is wrong, and what to write instead.
pub fn parse(text: &str, example: &str) -> Result<Duration, String> {
    humantime::parse_duration(text)
        .map_err(|error| format!("not a duration: {error}; write `{example}` or `\"1h 30m\"`"))
}

/// Parses one duration, or several between commas: `"1m, 10m, 1h"`.
///
/// # Errors
///
/// If one of them has another form: what is wrong, and what to write instead.
pub fn parse_list(text: &str, example: &str) -> Result<Vec<Duration>, String> {
    let parts = text.split(',').map(str::trim);
    parts.map(|part| parse(part, example)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_lists() {
        let parse = |text| parse_list(text, "block = \"60s\"");
        let lengths = |lengths: &[u64]| {
            let lengths = lengths.iter().copied().map(Duration::from_secs);
            Ok(lengths.collect::<Vec<_>>())
        };
        assert_eq!(parse("60s"), lengths(&[60]));
        assert_eq!(parse(" 1m,10m , 1h 30m"), lengths(&[60, 600, 5_400]));
        for text in ["", "1m,", ",1m", "1m,,1h", "1m, soon"] {
            let error = parse(text).expect_err(text);
            assert!(error.starts_with("not a duration: "), "{text}: {error}");
        }
    }

    #[test]
    fn parses_words_and_says_what_to_write() {
        let parse = |text| parse(text, "block = \"60s\"");
        assert_eq!(parse("1h 30m"), Ok(Duration::from_secs(5_400)));
        assert_eq!(parse("500ms"), Ok(Duration::from_millis(500)));
        for (text, reason) in [
            ("5", "time unit needed, for example 5sec or 5ms"),
            ("soon", "expected number at 0"),
        ] {
            let expected =
                format!("not a duration: {reason}; write `block = \"60s\"` or `\"1h 30m\"`");
            assert_eq!(parse(text), Err(expected));
        }
    }
}
