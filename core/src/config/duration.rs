//! Reads durations of the file.

use std::time::Duration;

use super::{diagnostics::Diagnostics, document::Spanned, reader::TableReader};

/// Reads a duration in words, such as `500ms` or `1h 30m`.
pub(crate) fn duration(
    table: &mut TableReader<'_>,
    key: &'static str,
    example: &str,
    diagnostics: &mut Diagnostics,
) -> Option<Spanned<Duration>> {
    let Spanned { position, value } = table.text(key, example, diagnostics)?;
    match humantime::parse_duration(value) {
        Ok(value) => Some(Spanned { position, value }),
        Err(error) => {
            let reason = format!("no duration: {error}; write `{key} = {example}` or `\"1h 30m\"`");
            diagnostics.at(position, reason);
            None
        }
    }
}
