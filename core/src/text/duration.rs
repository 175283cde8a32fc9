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

#[cfg(test)]
mod tests {
    use super::*;

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
