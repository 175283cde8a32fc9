//! `throttle check`: whether a configuration file is valid.

use serde_json::json;

use super::read::{json_of, read, write_diagnostics};
use crate::{
    arguments::CheckArguments,
    error::{Answer, CliError},
    output::{write_json, write_line},
};

/// Checks a file and writes its errors.
///
/// # Errors
///
/// If the file cannot be read.
pub(crate) fn check(arguments: &CheckArguments, is_json: bool) -> Result<Answer, CliError> {
    let path = &arguments.file;
    let read = read(path, &arguments.identifiers.names)?;
    let diagnostics = read.as_ref().err().map(Vec::as_slice).unwrap_or_default();
    if is_json {
        write_json(&json!({
            "file": path.display().to_string(),
            "valid": read.is_ok(),
            "diagnostics": json_of(diagnostics),
        }))?;
    } else {
        write_diagnostics(path, diagnostics)?;
    }
    let Ok(spec) = read else {
        return Ok(Answer::No);
    };
    if !is_json {
        let (limits, rules) = (spec.limits.len(), spec.rules.len());
        let name = path.display();
        write_line(&format!(
            "{name}: valid, {limits} named limits, {rules} rules"
        ))?;
    }
    Ok(Answer::Yes)
}
