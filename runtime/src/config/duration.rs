use std::time::Duration;

use super::{
    error::Mistakes,
    table::{At, Table},
};

/// A length of time in words, such as `500ms` or `1h 30m`.
pub(super) fn duration(
    table: &mut Table<'_>,
    key: &'static str,
    example: &str,
    mistakes: &mut Mistakes,
) -> Option<At<Duration>> {
    let At { place, value } = table.text(key, example, mistakes)?;
    match humantime::parse_duration(value) {
        Ok(value) => Some(At { place, value }),
        Err(error) => {
            let reason = format!("no duration: {error}; write `{key} = {example}` or `\"1h 30m\"`");
            mistakes.at(place, reason);
            None
        }
    }
}
