//! Operations on many keys of the in-memory store. They hold a lock for a few microseconds at a
//! time, and yield in between, so no request waits for them.

use actix_throttle_core::{
    identity::{Identity, IdentityQuery},
    key::{Key, KeyKind, KeySelection},
    stored::{EntryState, StoredEntry},
    time::Micros,
    zone::written,
};
use tokio::{task::yield_now, time::Instant};

use super::{known_limits::KnownLimit, shard::Table, store::MemoryStore};
use crate::engine::store::interface::{ScanBounds, Scanned};

/// The number of entries that are looked at under one lock: some ten microseconds.
const STEP: usize = 256;

impl MemoryStore {
    /// Deletes the selected entries. An entry tells its limit by the check bits of its fingerprint.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped midway, it has deleted some of them.
    pub(super) async fn walk_and_delete(
        &self,
        selection: &KeySelection,
        bounds: ScanBounds,
    ) -> Scanned {
        let limits = self.known.selected(selection);
        let mut scanned = Scanned::default();
        let until = Instant::now() + bounds.max_time;
        for shard in &self.shards {
            for table in [Table::Counters, Table::Permits, Table::Blocks] {
                let mut end = usize::MAX;
                while end > 0 && !limits.is_empty() {
                    let left = bounds.max_keys.saturating_sub(scanned.looked_at);
                    if left == 0 || Instant::now() > until {
                        return scanned;
                    }
                    let step = STEP.min(usize::try_from(left).unwrap_or(STEP));
                    {
                        let mut shard = shard.lock();
                        let now = self.clock.now();
                        let length = shard.length_of(table).min(end);
                        let (next, deleted) =
                            shard.delete_where(table, end, step, now, |fingerprint| {
                                limits.iter().any(|limit| fingerprint.is_of_limit(*limit))
                            });
                        scanned.looked_at += (length - next) as u64;
                        scanned.deleted += deleted;
                        end = next;
                    }
                    yield_now().await;
                }
            }
        }
        scanned.is_complete = true;
        scanned
    }

    /// Reads what is counted for an identity. The keys follow from the known limits, so it looks at
    /// no other keys.
    pub(super) fn look_up(
        &self,
        who: &IdentityQuery,
        bounds: ScanBounds,
    ) -> (Vec<StoredEntry>, Scanned) {
        let (mut entries, mut scanned) = (Vec::new(), Scanned::default());
        let until = Instant::now() + bounds.max_time;
        let limits = self.known.all();
        for identity in who.identities() {
            for limit in &limits {
                if scanned.looked_at >= bounds.max_keys || Instant::now() > until {
                    return (entries, scanned);
                }
                scanned.looked_at += 1;
                entries.extend(self.entry(identity, limit));
            }
        }
        scanned.is_complete = true;
        (entries, scanned)
    }

    fn entry(&self, identity: &Identity, limit: &KnownLimit) -> Option<StoredEntry> {
        let key = Key {
            identity,
            zone: &limit.zone,
            kind: limit.kind,
        };
        let (hash, shard) = self.lock_one(&key);
        let now = self.clock.now();
        let left = |expires: Micros| expires.saturating_sub(now);
        let fingerprint = hash.fingerprint;
        let (state, expires) = match limit.kind {
            KeyKind::Counter { .. } | KeyKind::Calendar { .. } => {
                let (state, expires) = shard.counters.find_with_expiry(fingerprint, now)?;
                let expires = left(expires);
                let state = EntryState::of_counter(limit.kind, state, now, expires);
                (state, expires)
            }
            KeyKind::PermitTable { .. } => {
                let (permits, expires) = shard.permits.find_with_expiry(fingerprint, now)?;
                (EntryState::of_permits(permits, now), left(expires))
            }
            KeyKind::Block { .. } => {
                let (block, expires) = shard.blocks.find_with_expiry(fingerprint, now)?;
                (EntryState::of_block(block, now)?, left(expires))
            }
        };
        Some(StoredEntry {
            key: String::new(),
            identity: identity.to_string(),
            zone: written(&limit.zone),
            kind: limit.kind,
            state,
            expires: Some(expires),
        })
    }
}
