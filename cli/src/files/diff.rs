//! `throttle diff`: what a reload would change, in the words of its log.

use std::path::Path;

use actix_throttle_core::config::{Diagnostic, Diff};
use serde_json::{Value, json};

use super::read::{json_of, read, write_diagnostics};
use crate::{
    arguments::DiffArguments,
    error::{Answer, CliError},
    output::{printable, write_json, write_line},
};

/// Compares two files and writes a line for each change.
///
/// # Errors
///
/// If a file cannot be read.
pub(crate) fn diff(arguments: &DiffArguments, is_json: bool) -> Result<Answer, CliError> {
    let names = &arguments.identifiers.names;
    let old = read(&arguments.old, names)?;
    let new = read(&arguments.new, names)?;
    let (old, new) = match (old, new) {
        (Ok(old), Ok(new)) => (old, new),
        (old, new) => {
            let invalid = [
                (arguments.old.as_path(), old.err().unwrap_or_default()),
                (arguments.new.as_path(), new.err().unwrap_or_default()),
            ];
            return refuse(&invalid, is_json);
        }
    };
    // A reload would reject the new file.
    if let Err(diagnostics) = new.check_successor_of(&old) {
        return refuse(&[(&arguments.new, diagnostics)], is_json);
    }
    let diff = Diff::between(&old, &new);
    if is_json {
        let changes: Vec<Value> = diff
            .changes()
            .map(|(removes, line)| json!({ "change": line, "removes": removes }))
            .collect();
        write_json(&json!({ "changes": changes }))?;
    } else {
        for line in diff.lines() {
            write_line(&printable(line))?;
        }
        if diff.is_empty() {
            write_line("nothing changes")?;
        }
    }
    Ok(if arguments.exit_code && !diff.is_empty() {
        Answer::No
    } else {
        Answer::Yes
    })
}

/// Writes why there is nothing to compare.
fn refuse(invalid: &[(&Path, Vec<Diagnostic>)], is_json: bool) -> Result<Answer, CliError> {
    if is_json {
        let files: Vec<Value> = invalid
            .iter()
            .filter(|(_, diagnostics)| !diagnostics.is_empty())
            .map(|(path, diagnostics)| {
                json!({
                    "file": path.display().to_string(),
                    "diagnostics": json_of(diagnostics),
                })
            })
            .collect();
        write_json(&json!({ "invalid": files }))?;
    } else {
        for (path, diagnostics) in invalid {
            write_diagnostics(path, diagnostics)?;
        }
    }
    Ok(Answer::No)
}
