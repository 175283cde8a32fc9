//! Parses durations in quotes: `"500ms"`, `"1h 30m"`.

use std::time::Duration;

use actix_throttle_core::text::duration::{parse, parse_list};

use super::value::string;
use crate::{args::Arguments, errors::Errors, name::ArgName};

/// Parses a duration; `None` if it is absent, or invalid and therefore reported.
pub(crate) fn duration(
    arguments: &Arguments,
    name: ArgName,
    errors: &mut Errors,
) -> Option<Duration> {
    let text = string(arguments, name, errors)?;
    let duration = parse(&text.value(), &name.example());
    errors.ok(duration.map_err(|message| syn::Error::new_spanned(text, message)))
}

/// Parses one duration or a list, `"1m, 10m, 1h"`; `None` if it is absent, or invalid and therefore
/// reported.
pub(crate) fn durations(
    arguments: &Arguments,
    name: ArgName,
    errors: &mut Errors,
) -> Option<Vec<Duration>> {
    let text = string(arguments, name, errors)?;
    let durations = parse_list(&text.value(), &name.example());
    errors.ok(durations.map_err(|message| syn::Error::new_spanned(text, message)))
}
