//! Reads durations of the file.

use std::time::Duration;

use super::{
    diagnostics::Diagnostics, document::DocumentValue, position::Spanned, reader::TableReader,
};
use crate::{text, vocabulary::Argument};

/// Reads a duration in words, such as `500ms` or `1h 30m`.
pub(crate) fn duration(
    table: &mut TableReader<'_>,
    argument: &'static Argument,
    diagnostics: &mut Diagnostics,
) -> Option<Spanned<Duration>> {
    let Spanned { position, value } = table.text(argument, diagnostics)?;
    let Argument { name, example, .. } = argument;
    match text::duration::parse(value, &format!("{name} = {example}")) {
        Ok(value) => Some(Spanned { position, value }),
        Err(reason) => {
            diagnostics.at(position, reason);
            None
        }
    }
}

/// Reads one duration, or several between commas: `1m, 10m, 1h`.
pub(crate) fn durations(
    table: &mut TableReader<'_>,
    argument: &'static Argument,
    diagnostics: &mut Diagnostics,
) -> Option<Spanned<Vec<Duration>>> {
    let Argument { name, example, .. } = argument;
    let node = &table.take(argument)?.node;
    if matches!(node.value, DocumentValue::List(_)) {
        let list = text::duration::LIST;
        let reason = format!("`{name}` takes one string, not a list: write `{name} = {list}`");
        diagnostics.at(node.position, reason);
        return None;
    }
    let Spanned { position, value } = table.text(argument, diagnostics)?;
    let value = diagnostics.ok(
        position,
        text::duration::parse_list(value, &format!("{name} = {example}")),
    )?;
    Some(Spanned { position, value })
}
