//! Parses durations in quotes: `"500ms"`, `"1h 30m"`.

use std::{ops::RangeInclusive, time::Duration};

use super::value::{assigned, text};
use crate::{args::Arguments, errors::Errors, name::ArgName};

/// The range of durations that an argument accepts.
pub(crate) struct DurationRange {
    pub(crate) range: RangeInclusive<Duration>,
    /// The range in words, for messages.
    pub(crate) says: &'static str,
}

/// Parses a duration; `None` if it is absent, or invalid and therefore reported.
pub(crate) fn duration(
    arguments: &Arguments,
    name: ArgName,
    lengths: &DurationRange,
    errors: &mut Errors,
) -> Option<Duration> {
    let expr = assigned(name, arguments.named(name)?, errors)?;
    let text = errors.ok(text(name, expr))?;
    let example = name.example();
    match humantime::parse_duration(&text.value()) {
        Ok(length) if lengths.range.contains(&length) => Some(length),
        Ok(_) => {
            let says = lengths.says;
            errors.at(text, format!("{says}: write `{example}`"));
            None
        }
        Err(error) => {
            let message = format!("no duration: {error}; write `{example}` or `\"1h 30m\"`");
            errors.at(text, message);
            None
        }
    }
}
