//! `throttle redis reset` and `unblock`: delete keys of one identity, after a question.

use actix_throttle_core::stored::StoredEntry;
use redis::Value;
use serde_json::json;

use super::{
    entry::{HEADER, as_row},
    find::{Located, find},
    scan::Scan,
    show::say_that_there_are_none,
};
use crate::{
    error::{Answer, CliError},
    output::{Confirmed, confirm, printable, write_json, write_line, write_table},
};

/// The keys of an identity that are deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Selection {
    /// Counters and blocks. Permits are held by work that goes on, so they stay unless asked for.
    Reset {
        permits: bool,
    },
    Blocks,
}

impl Selection {
    fn takes(self, entry: &StoredEntry) -> bool {
        match self {
            Self::Reset { permits } => permits || !entry.is_permits(),
            Self::Blocks => entry.is_block(),
        }
    }

    fn nothing(self, has_permits: bool) -> &'static str {
        match self {
            Self::Reset { .. } if has_permits => {
                "permits are held, which `--permits` frees; else nothing is counted"
            }
            Self::Reset { .. } => "nothing is counted",
            Self::Blocks => "there is no block",
        }
    }
}

/// Deletes keys of an identity.
///
/// # Errors
///
/// If nobody can be asked, if a server does not reply, or if it does not delete a key.
pub(super) fn delete(
    scan: &mut Scan<'_>,
    id: &str,
    selection: Selection,
    yes: bool,
    is_json: bool,
) -> Result<Answer, CliError> {
    let found = find(scan, id)?;
    let (chosen, others): (Vec<&Located>, Vec<&Located>) = found
        .entries
        .iter()
        .partition(|located| selection.takes(&located.entry));
    if chosen.is_empty() {
        let has_permits = others.iter().any(|located| located.entry.is_permits());
        if is_json {
            write_json(&json!({ "identity": found.identity, "deleted": [] }))?;
        }
        say_that_there_are_none(scan, &found, selection.nothing(has_permits));
        return Ok(Answer::No);
    }
    if !yes && !is_json {
        let rows: Vec<_> = chosen
            .iter()
            .map(|located| as_row(&located.entry))
            .collect();
        write_table(HEADER, &rows)?;
    }
    let s = if chosen.len() == 1 { "" } else { "s" };
    let identity = printable(&found.identity);
    let question = format!("Delete {} key{s} of `{identity}`?", chosen.len());
    if confirm(&question, yes)? == Confirmed::No {
        eprintln!("nothing was deleted");
        return Ok(Answer::No);
    }
    let keys = carry_out(scan, &chosen)?;
    if is_json {
        write_json(&json!({ "identity": found.identity, "deleted": keys }))?;
    } else {
        for key in keys {
            write_line(&format!("deleted {}", printable(key)))?;
        }
    }
    Ok(Answer::Yes)
}

/// Deletes each key by a command of its own, because in a cluster a slot may be on its way.
fn carry_out<'a>(scan: &mut Scan<'_>, chosen: &[&'a Located]) -> Result<Vec<&'a str>, CliError> {
    let mut deleted = Vec::new();
    for (index, node) in scan.servers.nodes.iter_mut().enumerate() {
        let here = chosen.iter().filter(|located| located.node == index);
        let keys: Vec<&str> = here.map(|located| located.entry.key.as_str()).collect();
        let commands: Vec<_> = keys.iter().map(|key| redis::Cmd::del(*key)).collect();
        for (key, reply) in keys.into_iter().zip(node.calls(&commands)?) {
            match reply {
                Value::ServerError(error) => {
                    let key = printable(key);
                    return Err(CliError::new(format!(
                        "{}: {key} was not deleted: {error}; {} of {} were, so run it again",
                        node.name(),
                        deleted.len(),
                        chosen.len()
                    )));
                }
                // A reply of 0 says that the key has expired meanwhile, which has the same effect.
                _ => deleted.push(key),
            }
        }
    }
    Ok(deleted)
}
