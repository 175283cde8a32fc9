//! `throttle redis top`: the counters and permits of which most is used. It holds the rows that are
//! shown and no more, however many keys there are.

use std::{collections::BTreeMap, ops::ControlFlow};

use actix_throttle_core::stored::StoredEntry;
use serde_json::Map;

use super::{
    scan::Scan,
    view::{warn_of_the_rest, write_entries},
};
use crate::error::{Answer, CliError};

/// The entries of which most is used, the most first.
#[derive(Debug, Default)]
struct Ranking {
    /// The entries by their keys, because a scan may find a key twice.
    entries: BTreeMap<String, StoredEntry>,
}

impl Ranking {
    fn add(&mut self, entry: StoredEntry, limit: usize) {
        if entry.used() == 0 || limit == 0 {
            return;
        }
        self.entries.insert(entry.key.clone(), entry);
        if self.entries.len() > limit {
            let least = self
                .entries
                .values()
                .min_by_key(|entry| entry.used())
                .map(|entry| entry.key.clone());
            if let Some(least) = least {
                self.entries.remove(&least);
            }
        }
    }

    fn sorted(&self) -> Vec<&StoredEntry> {
        let mut sorted: Vec<&StoredEntry> = self.entries.values().collect();
        sorted.sort_by_key(|entry| std::cmp::Reverse(entry.used()));
        sorted
    }
}

/// Shows the entries of which most is used.
///
/// # Errors
///
/// If a server does not reply.
pub(super) fn top(scan: &mut Scan<'_>, limit: usize, is_json: bool) -> Result<Answer, CliError> {
    let selection = scan.selection().with_permits();
    let mut ranking = Ranking::default();
    let summary = scan.entries(&selection, |_, entry| {
        ranking.add(entry, limit);
        ControlFlow::Continue(())
    })?;
    let sorted = ranking.sorted();
    write_entries(sorted.iter().copied(), summary, is_json, Map::new())?;
    if !is_json {
        warn_of_the_rest(summary, "write a higher `--max-keys`");
    }
    Ok(Answer::Yes)
}

#[cfg(test)]
mod tests {
    use actix_throttle_core::{key::KeyKind, stored::EntryState};

    use super::*;

    fn entry(key: &str, permits: u32) -> StoredEntry {
        StoredEntry {
            key: key.to_owned(),
            identity: String::new(),
            zone: String::new(),
            kind: KeyKind::PermitTable { shadow: false },
            state: EntryState::Held {
                permits,
                longest: 1,
            },
            expires: None,
        }
    }

    #[test]
    fn ranking_keeps_the_most_used_once_each() {
        let mut ranking = Ranking::default();
        for (key, used) in [("a", 3), ("b", 9), ("c", 1), ("b", 8), ("d", 5), ("e", 0)] {
            ranking.add(entry(key, used), 3);
        }
        let keys: Vec<_> = ranking
            .sorted()
            .into_iter()
            .map(|entry| (entry.key.as_str(), entry.used()))
            .collect();
        assert_eq!(keys, [("b", 8), ("d", 5), ("a", 3)]);
    }
}
