//! The positional string: `"100/minute"`, `"5 per 10 seconds"`.

use crate::nearest::{hint, nearest};

/// What a rate string says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Rate {
    pub(crate) times: u64,
    pub(crate) window_micros: u64,
}

/// The units, in microseconds, under all the names they go by; the first is the one to suggest.
const UNITS: [(u64, &[&str]); 5] = [
    (1_000, &["milliseconds", "millisecond", "ms"]),
    (1_000_000, &["seconds", "second", "secs", "sec", "s"]),
    (60_000_000, &["minutes", "minute", "mins", "min", "m"]),
    (3_600_000_000, &["hours", "hour", "h"]),
    (86_400_000_000, &["days", "day", "d"]),
];

const SHAPE: &str = "write it as \"100/minute\" or \"5 per 10 seconds\"";

/// Reads `times`, then `/` or `per`, then an optional number and a unit.
///
/// # Errors
///
/// What is wrong with the text and what to write instead.
pub(crate) fn parse(text: &str) -> Result<Rate, String> {
    let (times, rest) = number(text.trim_start())?;
    let times = times.ok_or_else(|| format!("a rate starts with a number: {SHAPE}"))?;
    let rest = rest
        .strip_prefix('/')
        .or_else(|| rest.strip_prefix("per"))
        .ok_or_else(|| format!("`/` or `per` is missing after the number: {SHAPE}"))?;
    let (count, unit) = number(rest.trim_start())?;
    let unit_micros = unit_micros(unit.trim_end())?;
    if times == 0 {
        return Err(format!("a rate of 0 would admit nothing: {SHAPE}"));
    }
    if count == Some(0) {
        return Err(format!("a window of 0 is no window: {SHAPE}"));
    }
    // Out of range either way: the common check of the window's range words that error.
    let window_micros = count.unwrap_or(1).saturating_mul(unit_micros);
    Ok(Rate {
        times,
        window_micros,
    })
}

/// A leading number (`1_000` is one too), if there is one, and what follows it without blanks.
fn number(text: &str) -> Result<(Option<u64>, &str), String> {
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '_')
        .unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    let rest = rest.trim_start();
    if digits.is_empty() && rest.starts_with(['-', '+']) {
        return Err(format!("a rate has no signs: {SHAPE}"));
    }
    if rest.starts_with(['.', ',']) {
        return Err(format!("a rate has whole numbers only: {SHAPE}"));
    }
    if digits.is_empty() {
        return Ok((None, rest));
    }
    match digits.replace('_', "").parse() {
        Ok(number) => Ok((Some(number), rest)),
        Err(_) => Err(format!("`{digits}` is too large a number")),
    }
}

fn unit_micros(word: &str) -> Result<u64, String> {
    if word.is_empty() {
        return Err(format!("the unit of time is missing: {SHAPE}"));
    }
    let lower = word.to_ascii_lowercase();
    let known = UNITS
        .iter()
        .find(|(_, names)| names.contains(&lower.as_str()));
    known.map(|(micros, _)| *micros).ok_or_else(|| {
        let names = UNITS.iter().flat_map(|(_, names)| names.iter().copied());
        format!(
            "unknown unit of time `{word}`{}",
            hint(
                nearest(word, names),
                &["milliseconds", "seconds", "minutes", "hours", "days"]
            )
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_shape() {
        for (text, times, window_micros) in [
            ("100/minute", 100, 60_000_000),
            ("5 per 10 seconds", 5, 10_000_000),
            ("10/5s", 10, 5_000_000),
            ("10 / 5 s", 10, 5_000_000),
            ("600/hour", 600, 3_600_000_000),
            ("1_000 per day", 1_000, 86_400_000_000),
            (" 3 per 250ms ", 3, 250_000),
            ("1/millisecond", 1, 1_000),
            ("7/2 Hours", 7, 7_200_000_000),
            ("2/m", 2, 60_000_000),
            ("2/d", 2, 86_400_000_000),
        ] {
            assert_eq!(
                parse(text),
                Ok(Rate {
                    times,
                    window_micros
                }),
                "{text}"
            );
        }
    }

    #[test]
    fn says_what_is_wrong() {
        for (text, message) in [
            ("", "a rate starts with a number"),
            ("minute", "a rate starts with a number"),
            ("100", "`/` or `per` is missing"),
            ("100 minute", "`/` or `per` is missing"),
            ("100/", "the unit of time is missing"),
            ("100/5", "the unit of time is missing"),
            (
                "100/fortnight",
                "unknown unit of time `fortnight`: valid are",
            ),
            (
                "100/minuet",
                "unknown unit of time `minuet`, did you mean `minute`?",
            ),
            ("0/minute", "a rate of 0 would admit nothing"),
            ("5/0s", "a window of 0 is no window"),
            ("-5/minute", "a rate has no signs"),
            ("5/1.5s", "a rate has whole numbers only"),
            ("1.5/s", "a rate has whole numbers only"),
            ("99999999999999999999/s", "too large a number"),
        ] {
            let said = parse(text).map_or_else(|said| said, |rate| format!("{rate:?}"));
            assert!(said.contains(message), "{text}: {said}");
        }
    }

    #[test]
    fn a_window_beyond_all_bounds_saturates() {
        let rate = parse("1/18446744073709551615 days");
        assert_eq!(
            rate,
            Ok(Rate {
                times: 1,
                window_micros: u64::MAX
            })
        );
    }
}
