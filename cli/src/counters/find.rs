//! Finds the entries of one identity.

use std::{collections::BTreeMap, ops::ControlFlow};

use actix_throttle_core::{identity::Identity, key::scan_pattern};

use super::{entry::Entry, scan::Scan};
use crate::{error::CliError, server::ScanSummary};

/// An entry, and the index of the node that holds it.
#[derive(Clone, Debug)]
pub(super) struct Located {
    pub(super) node: usize,
    pub(super) entry: Entry,
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
/// nobody can then say that there is nothing.
pub(super) fn find(scan: &mut Scan<'_>, id: &str) -> Result<Found, CliError> {
    let texts = Identity::key_texts(id);
    let identity = texts.first().cloned().unwrap_or_default();
    let start = common_start(&texts);
    let pattern = scan_pattern(&scan.arguments.prefix, start, texts.len() == 1);
    let mut entries = BTreeMap::new();
    let summary = scan.entries(&pattern, |node, entry| {
        if texts.contains(&entry.identity) {
            entries.insert(entry.key.clone(), Located { node, entry });
        }
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

/// The longest text that all of these begin with.
fn common_start(texts: &[String]) -> &str {
    let Some((first, others)) = texts.split_first() else {
        return "";
    };
    let mut length = first.len();
    for other in others {
        let same = first.bytes().zip(other.bytes());
        length = length.min(same.take_while(|(one, two)| one == two).count());
    }
    // The texts of identities are ASCII.
    first.get(..length).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_start_is_what_all_begin_with() {
        let texts =
            |texts: &[&str]| -> Vec<String> { texts.iter().map(ToString::to_string).collect() };
        for (all, start) in [
            (&["user=42"][..], "user=42"),
            (&["cookie.sid=#ab", "cookie.sid=ab"], "cookie.sid="),
            (&["ip=1-0", "ip=1-0-2", "ip=1"], "ip=1"),
            (&[], ""),
        ] {
            assert_eq!(common_start(&texts(all)), start);
        }
    }
}
