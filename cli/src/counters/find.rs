//! Finds the entries of one identity.

use std::{collections::BTreeMap, ops::ControlFlow};

use actix_throttle_core::{identity::Identity, stored::StoredEntry};

use super::scan::Scan;
use crate::{error::CliError, server::ScanSummary};

/// An entry, and the index of the node that holds it.
#[derive(Clone, Debug)]
pub(super) struct Located {
    pub(super) node: usize,
    pub(super) entry: StoredEntry,
}

/// The entries of one identity, in the order of their keys.
#[derive(Clone, Debug)]
pub(super) struct Found {
    /// The identity as keys have it by default.
    pub(super) identity: String,
    pub(super) entries: Vec<Located>,
    pub(super) summary: ScanSummary,
}

/// Finds the entries of the identity that is written like this.
///
/// # Errors
///
/// If a server does not reply; and if nothing was found before the scan came to its bound, because
/// it is then unknown whether there is an entry.
pub(super) fn find(scan: &mut Scan<'_>, id: &str) -> Result<Found, CliError> {
    let texts = Identity::key_texts(id);
    let identity = texts.first().cloned().unwrap_or_default();
    let selection = scan.selection().with_permits().of_identity(texts);
    let mut entries = BTreeMap::new();
    let summary = scan.entries(&selection, |node, entry| {
        entries.insert(entry.key.clone(), Located { node, entry });
        ControlFlow::Continue(())
    })?;
    if entries.is_empty() && !summary.is_complete {
        return Err(CliError::new(format!(
            "`{identity}` is not among the first {} keys; write a higher `--max-keys`",
            summary.looked_at
        )));
    }
    Ok(Found {
        identity,
        entries: entries.into_values().collect(),
        summary,
    })
}
