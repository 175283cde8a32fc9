//! Reads durations of the file.

use std::time::Duration;

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
    match humantime::parse_duration(value) {
        Ok(value) => Some(Spanned { place, value }),
        Err(error) => {
            let reason = format!("no duration: {error}; write `{key} = {example}` or `\"1h 30m\"`");
            diagnostics.at(place, reason);
            None
        }
    }
}
