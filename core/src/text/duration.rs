//! Durations in words: `"500ms"`, `"1h 30m"`.

use std::time::Duration;

/// Several durations, as a value.
pub const LIST: &str = "\"1m, 10m, 1h\"";

/// Parses a duration in words. `example` is the argument in correct form, for the error:
/// `block = "60s"`.
///
/// # Errors
///
/// If the text has another form: what is wrong, and what to write instead.
pub fn parse(text: &str, example: &str) -> Result<Duration, String> {
    length(text)
        .map_err(|reason| format!("not a duration: {reason}; write `{example}` or `\"1h 30m\"`"))
}

/// Parses one duration. `Err` has the reason alone.
fn length(text: &str) -> Result<Duration, String> {
    let length = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    if !units_get_smaller(text) {
        // Commas were forgotten, or the text is misread easily.
        return Err("each unit must be smaller than the one before".to_owned());
    }
    Ok(length)
}

fn units_get_smaller(text: &str) -> bool {
    let words = text.split(|character: char| !character.is_alphabetic());
    let units = words.filter(|word| !word.is_empty());
    let lengths = units.filter_map(|unit| humantime::parse_duration(&format!("1{unit}")).ok());
    lengths.is_sorted_by(|one, next| one > next)
}

/// Parses one duration, or several between commas: `"1m, 10m, 1h"`.
///
/// # Errors
///
/// If one of them has another form: what is wrong, and what to write instead.
pub fn parse_list(text: &str, example: &str) -> Result<Vec<Duration>, String> {
    let lengths = text.split(',').map(|part| length(part.trim()));
    let lengths: Result<Vec<_>, String> = lengths.collect();
    lengths.map_err(|reason| {
        let has_one_word = text.split_whitespace().count() == 1;
        if has_one_word && !text.contains([',', ';']) {
            return format!("not a duration: {reason}; write `{example}` or `\"1h 30m\"`");
        }
        let (name, _) = example.split_once(' ').unwrap_or((example, ""));
        format!("not a duration: {reason}; write `{name} = {LIST}`")
    })
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
    fn errors_of_lists_show_a_list() {
        let list = "; write `block = \"1m, 10m, 1h\"`";
        for (text, example) in [
            ("1m, soon", list),
            ("1m; 10m", list),
            ("1m 10m", list),
            ("1m, 1m 1h", list),
            ("soon", "; write `block = \"60s\"` or `\"1h 30m\"`"),
        ] {
            let error = parse_list(text, "block = \"60s\"").expect_err(text);
            assert!(error.ends_with(example), "{text}: {error}");
        }
    }

    #[test]
    fn units_of_one_length_get_smaller() {
        for (text, is_length) in [
            ("1h 30m", true),
            ("2h30min 5s 7us", true),
            ("1m 10m", false),
            ("30m 1h", false),
            ("1min 10m", false),
        ] {
            let parsed = parse(text, "block = \"60s\"");
            assert_eq!(parsed.is_ok(), is_length, "{text}: {parsed:?}");
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
