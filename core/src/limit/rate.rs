//! Parses rate strings: `"100/minute"`, `"5 per 10 seconds"`.

use std::{fmt, str::FromStr, time::Duration};

use super::Limit;
use crate::{
    calendar::Period,
    text::{unit::TimeUnit, word::Word},
};

const SHAPE: &str = "write it as \"100/minute\" or \"5 per 10 seconds\"";

/// The error of a text that is not a rate. Its message says what to write instead.
#[derive(Clone, PartialEq, Eq)]
pub struct RateError(String);

/// Parses `times`, then `/` or `per`, then an optional number and a unit of time.
///
/// ```
/// use actix_throttle::Limit;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// assert_eq!("100/minute".parse::<Limit>()?, Limit::per_minute(100));
/// let burst = "5 per 10 seconds".parse::<Limit>()?.name("burst");
/// assert_eq!(burst.times(), 5);
/// assert!("5/fortnight".parse::<Limit>().is_err());
/// # Ok(()) }
/// ```
///
/// # Errors
///
/// If the text has another form. Numbers out of range are left to [`validate`](Limit::validate), as
/// with the builder.
impl FromStr for Limit {
    type Err = RateError;

    fn from_str(text: &str) -> Result<Self, RateError> {
        let (times, window_micros) = parse(text).map_err(RateError)?;
        // The cut number is out of range too, and `validate` reports it.
        let times = u32::try_from(times).unwrap_or(u32::MAX);
        Ok(Self::new(times, Duration::from_micros(window_micros)))
    }
}

crate::debug_is_message!(RateError);

impl fmt::Display for RateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for RateError {}

fn parse(text: &str) -> Result<(u64, u64), String> {
    let (times, rest) = number(text.trim_start())?;
    let times = times.ok_or_else(|| format!("a rate starts with a number: {SHAPE}"))?;
    let rest = rest
        .strip_prefix('/')
        .or_else(|| rest.strip_prefix("per"))
        .ok_or_else(|| format!("`/` or `per` is missing after the number: {SHAPE}"))?;
    let (count, unit) = number(rest.trim_start())?;
    let unit_micros = unit_micros(unit.trim_end(), times)?;
    if times == 0 {
        return Err(format!("a rate of 0 would admit nothing: {SHAPE}"));
    }
    if count == Some(0) {
        return Err(format!("a window of 0 is not a window: {SHAPE}"));
    }
    Ok((times, count.unwrap_or(1).saturating_mul(unit_micros)))
}

/// Splits off a leading number, such as `1_000`, if there is one, and the blanks after it.
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

fn unit_micros(word: &str, times: u64) -> Result<u64, String> {
    if word.is_empty() {
        return Err(format!("the unit of time is missing: {SHAPE}"));
    }
    if let Some(period) = period(word) {
        return Err(format!(
            "`{word}` is a period of the calendar, and no unit of a rate: write \
             `times = {times}, every = \"{period}\"`"
        ));
    }
    TimeUnit::parse(word).map(TimeUnit::micros)
}

/// Returns the period of the calendar with this name, also in the plural, if it is no unit of time.
fn period(word: &str) -> Option<Period> {
    let lower = word.to_ascii_lowercase();
    let period = Period::of_word(lower.strip_suffix('s').unwrap_or(&lower))?;
    matches!(period, Period::Week | Period::Month | Period::Year).then_some(period)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_rates_holds() {
        let mut rows = 0;
        for line in include_str!("rates.txt").lines() {
            let Some((text, expected)) = line.split_once(" ->").filter(|_| !line.starts_with('#'))
            else {
                continue;
            };
            let said = match parse(text) {
                Ok((times, window_micros)) => format!(" {times} {window_micros}"),
                Err(message) => format!("! {message}"),
            };
            assert!(said.contains(expected), "{text}: {said}");
            rows += 1;
        }
        assert!(rows > 25, "the table was read: {rows}");
    }

    #[test]
    fn numbers_beyond_all_bounds_are_invalid_limits() {
        for text in ["5000000000/s", "1/400 days"] {
            let limit: Limit = text.parse().expect("the shape of a rate");
            assert!(limit.validate().is_err(), "{text}");
        }
    }
}
