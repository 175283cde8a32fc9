//! Reads durations of the file.

use std::time::Duration;

use actix_throttle_core::text;

use super::{
    error::Diagnostics,
    table_reader::{Spanned, TableReader},
};

/// Reads a duration in words, such as `500ms` or `1h 30m`.
pub(super) fn duration(
    table: &mut TableReader<'_>,
    key: &'static str,
    example: &str,
    diagnostics: &mut Diagnostics,
) -> Option<Spanned<Duration>> {
    let Spanned { place, value } = table.text(key, example, diagnostics)?;
    match text::duration::parse(value, &format!("{key} = {example}")) {
        Ok(value) => Some(Spanned { place, value }),
        Err(reason) => {
            diagnostics.at(place, reason);
            None
        }
    }
}
