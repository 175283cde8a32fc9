//! Reads durations of the file.

use std::time::Duration;

use super::{diagnostics::Diagnostics, document::Spanned, reader::TableReader};
use crate::vocabulary::Argument;

/// Reads a duration in words, such as `500ms` or `1h 30m`.
pub(crate) fn duration(
    table: &mut TableReader<'_>,
    argument: &'static Argument,
    diagnostics: &mut Diagnostics,
) -> Option<Spanned<Duration>> {
    let Spanned { position, value } = table.text(argument, diagnostics)?;
    match humantime::parse_duration(value) {
        Ok(value) => Some(Spanned { position, value }),
        Err(error) => {
            let Argument { name, example, .. } = argument;
            let reason =
                format!("no duration: {error}; write `{name} = {example}` or `\"1h 30m\"`");
            diagnostics.at(position, reason);
            None
        }
    }
}
