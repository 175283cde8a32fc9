//! JSON documents, one a line, so that a program can read them one by one.

use serde_json::Value;

use super::text::write_line;
use crate::error::CliError;

/// Writes a document to standard output.
///
/// # Errors
///
/// If it cannot be written.
pub(crate) fn write_json(document: &Value) -> Result<(), CliError> {
    write_line(&document.to_string())
}
