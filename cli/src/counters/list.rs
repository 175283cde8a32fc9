//! `throttle redis list`: entries as they are found.

use std::{collections::BTreeMap, ops::ControlFlow};

use serde_json::Map;

use super::{
    scan::Scan,
    view::{warn_of_the_rest, write_entries},
};
use crate::error::{Answer, CliError};

/// The entries that are listed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Selection {
    pub(super) blocks_only: bool,
    /// The most rows.
    pub(super) limit: usize,
}

/// Lists entries, in the order of their keys.
///
/// # Errors
///
/// If a server does not reply.
pub(super) fn list(
    scan: &mut Scan<'_>,
    selection: Selection,
    is_json: bool,
) -> Result<Answer, CliError> {
    let selected = if selection.blocks_only {
        scan.selection().only_blocks()
    } else {
        scan.selection().with_permits()
    };
    let mut entries = BTreeMap::new();
    let summary = scan.entries(&selected, |_, entry| {
        if entries.len() >= selection.limit && !entries.contains_key(&entry.key) {
            return ControlFlow::Break(());
        }
        entries.insert(entry.key.clone(), entry);
        ControlFlow::Continue(())
    })?;
    write_entries(entries.values(), summary, is_json, Map::new())?;
    if !is_json {
        warn_of_the_rest(summary, "`--limit` and `--max-keys` are its bounds");
    }
    Ok(Answer::Yes)
}
