//! Parses the positional string: `"100/minute"`, `"5 per 10 seconds"`.

use crate::nearest::{hint, nearest};

/// A parsed rate string.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Rate {
    pub(crate) times: u64,
    pub(crate) window_micros: u64,
}

/// Units in microseconds, with all accepted names. The first name is the one to suggest.
const UNITS: [(u64, &[&str]); 5] = [
    (1_000, &["milliseconds", "millisecond", "ms"]),
    (1_000_000, &["seconds", "second", "secs", "sec", "s"]),
    (60_000_000, &["minutes", "minute", "mins", "min", "m"]),
    (3_600_000_000, &["hours", "hour", "h"]),
    (86_400_000_000, &["days", "day", "d"]),
];

const SHAPE: &str = "write it as \"100/minute\" or \"5 per 10 seconds\"";

/// Parses `times`, then `/` or `per`, then an optional number and a unit.
///
/// # Errors
///
/// A message with what is wrong and what to write instead.
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
        return Err(format!("a window of 0 is not a window: {SHAPE}"));
    }
    // A saturated product is out of range, too, and the common range check reports it.
    let window_micros = count.unwrap_or(1).saturating_mul(unit_micros);
    Ok(Rate {
        times,
        window_micros,
    })
}

/// Splits off a leading number, such as `1_000`; returns it and the rest without leading blanks.
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
    fn the_table_of_rates_holds() {
        // The runtime's table of rates, which tests its copy of this parser as well.
        let mut rows = 0;
        for line in include_str!("../../core/src/limit/rates.txt").lines() {
            let Some((text, expected)) = line.split_once(" ->").filter(|_| !line.starts_with('#'))
            else {
                continue;
            };
            let said = match parse(text) {
                Ok(rate) => format!(" {} {}", rate.times, rate.window_micros),
                Err(message) => format!("! {message}"),
            };
            assert!(said.contains(expected), "{text}: {said}");
            rows += 1;
        }
        assert!(rows > 25, "the table was read: {rows}");
    }

    #[test]
    fn suggests_the_unit_that_was_meant() {
        for (text, message) in [
            ("100/fortnight", "`fortnight`: valid are"),
            ("100/minuet", "`minuet`, did you mean `minute`?"),
        ] {
            let said = parse(text).map_or_else(|said| said, |rate| format!("{rate:?}"));
            assert!(said.contains(message), "{text}: {said}");
        }
    }
}
