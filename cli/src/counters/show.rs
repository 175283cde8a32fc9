//! `throttle redis show`: how one identity stands.

use serde_json::{Map, json};

use super::{
    find::{Found, find},
    scan::Scan,
    view::{warn_of_the_rest, write_entries},
};
use crate::{
    error::{Answer, CliError},
    output::printable,
};

/// Shows the entries of an identity.
///
/// # Errors
///
/// If a server does not reply.
pub(super) fn show(scan: &mut Scan<'_>, id: &str, is_json: bool) -> Result<Answer, CliError> {
    let found = find(scan, id)?;
    let mut fields = Map::new();
    fields.insert("identity".to_owned(), json!(found.identity));
    let entries = found.entries.iter().map(|located| &located.entry);
    if is_json || !found.entries.is_empty() {
        write_entries(entries, found.summary, is_json, fields)?;
    }
    if !is_json {
        warn_of_the_rest(found.summary, "write a higher `--max-keys`");
    }
    if found.entries.is_empty() {
        say_that_there_are_none(scan, &found, "nothing is counted");
        return Ok(Answer::No);
    }
    Ok(Answer::Yes)
}

/// Says on standard error that an identity has no entries.
pub(super) fn say_that_there_are_none(scan: &Scan<'_>, found: &Found, what: &str) {
    let (identity, prefix) = (&found.identity, &scan.arguments.prefix);
    let zones = match scan.zones {
        [] => String::new(),
        zones => format!(" in {}", zones.join(", ")),
    };
    let text = format!("{what} for `{identity}`{zones} under the prefix `{prefix}`");
    eprintln!("{}", printable(&text));
}
