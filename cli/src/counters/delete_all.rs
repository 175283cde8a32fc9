//! `throttle redis reset --all`: deletes the keys of everyone, after a question. It deletes while
//! it scans, so it holds no list of keys.

use std::ops::ControlFlow;

use actix_throttle_core::key::{KeySelection, KeyText};
use redis::Value;
use serde_json::json;

use super::{scan::Scan, view::warn_of_the_rest};
use crate::{
    error::{Answer, CliError},
    output::{Confirmed, confirm, printable, write_json, write_line},
    server::{Node, Scanned},
};

/// Deletes counters and blocks of everyone, in the zones of the scan or in all of them.
///
/// # Errors
///
/// If nobody can be asked, if a server does not reply, or if it does not delete a key.
pub(super) fn delete_all(
    scan: &mut Scan<'_>,
    permits: bool,
    yes: bool,
    is_json: bool,
) -> Result<Answer, CliError> {
    let selection = if permits {
        scan.selection().with_permits()
    } else {
        scan.selection()
    };
    let what = if permits {
        "all counters, blocks and permits"
    } else {
        "all counters and blocks"
    };
    let zones = match scan.zones {
        [] => String::new(),
        [zone] => format!(" in the zone `{zone}`"),
        zones => format!(" in the zones `{}`", zones.join("`, `")),
    };
    let whose = printable(&format!(
        "{zones} under the prefix `{}`",
        scan.arguments.prefix
    ));
    if confirm(&format!("Delete {what}{whose}?"), yes)? == Confirmed::No {
        eprintln!("nothing was deleted");
        return Ok(Answer::No);
    }
    let prefix = scan.arguments.prefix.clone();
    let mut deleted = 0;
    let summary = scan.keys(&selection, |_, node, keys| {
        delete(node, &prefix, &selection, keys, &mut deleted)
    })?;
    if is_json {
        write_json(&json!({ "deleted": deleted, "complete": summary.is_complete }))?;
    } else {
        let s = if deleted == 1 { "" } else { "s" };
        write_line(&format!("deleted {deleted} key{s}"))?;
        warn_of_the_rest(summary, "write a higher `--max-keys`");
    }
    if deleted == 0 {
        eprintln!("nothing is counted{whose}");
        return Ok(Answer::No);
    }
    Ok(Answer::Yes)
}

/// Deletes the selected ones of these keys, each by a command of its own, because in a cluster they
/// are in different slots.
fn delete(
    node: &mut Node,
    prefix: &str,
    selection: &KeySelection,
    keys: &[String],
    deleted: &mut u64,
) -> Scanned {
    let is_selected = |key: &&String| {
        let text = KeyText::parse(key, prefix);
        text.is_some_and(|text| selection.takes_text(&text))
    };
    let chosen: Vec<&String> = keys.iter().filter(is_selected).collect();
    // `UNLINK` frees the memory of a long list outside of the server's main thread.
    let commands: Vec<_> = chosen.iter().map(|key| redis::Cmd::unlink(*key)).collect();
    for (key, reply) in chosen.into_iter().zip(node.calls(&commands)?) {
        match reply {
            Value::ServerError(error) => {
                return Err(CliError::new(format!(
                    "{}: {} was not deleted: {error}; {deleted} keys were, so run it again",
                    node.name(),
                    printable(key),
                )));
            }
            Value::Int(1) => *deleted += 1,
            // The key has expired meanwhile, or the scan has found it twice.
            _ => {}
        }
    }
    Ok(ControlFlow::Continue(()))
}
