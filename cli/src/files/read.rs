//! Reads a configuration file.

use std::{fs, path::Path};

use actix_throttle_core::config::{ConfigSpec, Diagnostic, Format, is_free_name};
use serde_json::{Value, json};

use crate::{
    error::CliError,
    output::{printable, write_line},
};

/// Reads and checks a file that may use these identifiers of the application.
///
/// # Errors
///
/// If the file cannot be read, or an identifier cannot have its name.
pub(super) fn read(
    path: &Path,
    identifiers: &[String],
) -> Result<Result<ConfigSpec, Vec<Diagnostic>>, CliError> {
    let name = path.display();
    if let Some(taken) = identifiers.iter().find(|taken| !is_free_name(taken)) {
        return Err(CliError::new(format!(
            "no identifier can be called `{taken}`: the file has a meaning for that already"
        )));
    }
    let Some(format) = Format::of(path) else {
        return Err(CliError::new(format!(
            "{name}: the name of a configuration file ends in .toml, .yaml or .yml"
        )));
    };
    let text = fs::read_to_string(path);
    let text = text.map_err(|error| CliError::new(format!("{name}: {error}")))?;
    let identifiers: Vec<&str> = identifiers.iter().map(String::as_str).collect();
    Ok(ConfigSpec::parse(&text, format, &identifiers))
}

/// Writes the errors of a file, one a line, as an editor reads them.
///
/// # Errors
///
/// If they cannot be written.
pub(super) fn write_diagnostics(path: &Path, diagnostics: &[Diagnostic]) -> Result<(), CliError> {
    for diagnostic in diagnostics {
        write_line(&printable(&format!("{}:{diagnostic}", path.display())))?;
    }
    Ok(())
}

pub(super) fn json_of(diagnostics: &[Diagnostic]) -> Value {
    let diagnostics = diagnostics.iter().map(|diagnostic| {
        json!({
            "line": diagnostic.line(),
            "column": diagnostic.column(),
            "reason": diagnostic.reason(),
        })
    });
    Value::Array(diagnostics.collect())
}
