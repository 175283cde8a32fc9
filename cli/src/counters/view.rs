//! Shows entries, and says if some may be missing.

use actix_throttle_core::stored::StoredEntry;
use serde_json::{Map, Value, json};

use super::entry::{HEADER, as_json, as_row};
use crate::{
    error::CliError,
    output::{write_json, write_table},
    server::ScanSummary,
};

/// Writes entries as a table or as JSON, with further fields of the document.
///
/// # Errors
///
/// If they cannot be written.
pub(super) fn write_entries<'a>(
    entries: impl Iterator<Item = &'a StoredEntry> + Clone,
    summary: ScanSummary,
    is_json: bool,
    fields: Map<String, Value>,
) -> Result<(), CliError> {
    if is_json {
        let mut document = fields;
        let entries: Vec<Value> = entries.map(as_json).collect();
        document.insert("entries".to_owned(), json!(entries));
        document.insert("complete".to_owned(), json!(summary.is_complete));
        return write_json(&Value::Object(document));
    }
    let rows: Vec<_> = entries.map(as_row).collect();
    if rows.is_empty() {
        eprintln!("no counters");
    } else {
        write_table(HEADER, &rows)?;
    }
    Ok(())
}

/// Says on standard error that the scan has ended before all keys were looked at.
pub(super) fn warn_of_the_rest(summary: ScanSummary, advice: &str) {
    if !summary.is_complete {
        let looked_at = summary.looked_at;
        eprintln!("this is not all: the scan ended after about {looked_at} keys; {advice}");
    }
}
