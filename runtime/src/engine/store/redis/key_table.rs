//! The key table of one call: the keys that its checks name, each once. The call builder fills it.

use std::ops::Range;

use actix_throttle_core::key::{Key, KeyKind, Naming};
use hashbrown::HashTable;
use smallvec::SmallVec;

use crate::engine::store::{fingerprint::Fingerprint, key_hash::KeyHasher};

/// The texts of the keys in one buffer, so that a key costs no allocation of its own.
#[derive(Debug)]
pub(super) struct KeyTable {
    naming: Naming,
    texts: String,
    entries: Vec<KeyEntry>,
    /// The indices of the texts, from 1 as Lua counts, by the fingerprints of their keys. A key
    /// that is in the table is found without writing its text.
    indices: HashTable<(Fingerprint, u64)>,
    /// The tail of the latest key. Most keys of a call have the same one.
    tail: Option<Tail>,
}

/// The part of a key's text behind the identity.
#[derive(Debug)]
struct Tail {
    /// The zone. It is inline, because a call of one key gains nothing that would pay for an
    /// allocation.
    zone: SmallVec<[u8; 40]>,
    kind: KeyKind,
    /// The range of the tail in `texts`.
    written: Range<usize>,
    /// The length of the zone's part.
    zone_length: usize,
}

/// A key of the table.
#[derive(Clone, Copy, Debug)]
struct KeyEntry {
    /// The end of the part that all keys of the identity in the zone have in common.
    stem: usize,
    /// The end of the text, at which the next one begins.
    end: usize,
    /// The block above the key.
    block: Fingerprint,
    is_shadow: bool,
}

impl KeyTable {
    pub(super) fn new(naming: &Naming) -> Self {
        Self {
            naming: naming.clone(),
            // There is room for a counter and its block, with which most calls begin.
            texts: String::with_capacity(128),
            entries: Vec::with_capacity(2),
            indices: HashTable::new(),
            tail: None,
        }
    }

    /// The indices of a counter and of the block above it, from 1 as Lua counts.
    pub(super) fn counter_and_block(
        &mut self,
        counter: &Key<'_>,
        hasher: &KeyHasher,
    ) -> (u64, u64) {
        let counter = self.index_of(counter, hasher);
        (counter, self.block_of(counter))
    }

    /// The index of one key, from 1 as Lua counts.
    pub(super) fn index_of(&mut self, key: &Key<'_>, hasher: &KeyHasher) -> u64 {
        let key_hash = hasher.hash(key);
        let fingerprint = key_hash.fingerprint;
        if let Some(index) = self.find(fingerprint) {
            return index;
        }
        key.write_tag(&self.naming, &mut self.texts);
        let stem = self.write_tail(key);
        let block = hasher.block_fingerprint(&key_hash, key);
        self.push(fingerprint, stem, block, key.kind.is_shadow())
    }

    /// Writes what a key has behind its identity, and returns where the limit's part begins.
    fn write_tail(&mut self, key: &Key<'_>) -> usize {
        let start = self.texts.len();
        if let Some(tail) = &self.tail
            && tail.kind == key.kind
            && tail.zone.as_slice() == key.zone.as_bytes()
        {
            self.texts.extend_from_within(tail.written.clone());
            return start + tail.zone_length;
        }
        key.write_zone(&mut self.texts);
        let stem = self.texts.len();
        key.kind.write(&mut self.texts);
        self.tail = Some(Tail {
            zone: SmallVec::from_slice(key.zone.as_bytes()),
            kind: key.kind,
            written: start..self.texts.len(),
            zone_length: stem - start,
        });
        stem
    }

    /// Whether the table has a key of this identity in this zone. A block is above all of these.
    pub(super) fn has_of_zone(&self, key: &Key<'_>, hasher: &KeyHasher) -> bool {
        let block = hasher.block_fingerprint(&hasher.hash(key), key);
        self.entries.iter().any(|entry| entry.block == block)
    }

    /// Copies the keys of another table that are not here. Returns the index of each, in the order
    /// of that table.
    pub(super) fn adopt(&mut self, other: &Self) -> Vec<u64> {
        let mut fingerprints = vec![Fingerprint::new(0, 0); other.entries.len()];
        for (fingerprint, index) in &other.indices {
            let index = usize::try_from(*index).unwrap_or(0).saturating_sub(1);
            if let Some(of_key) = fingerprints.get_mut(index) {
                *of_key = *fingerprint;
            }
        }
        let mut start = 0;
        let adopted = other.entries.iter().zip(fingerprints);
        adopted
            .map(|(entry, fingerprint)| {
                let text = &other.texts[start..entry.end];
                let stem = self.texts.len() + (entry.stem - start);
                start = entry.end;
                self.find(fingerprint).unwrap_or_else(|| {
                    self.texts.push_str(text);
                    self.push(fingerprint, stem, entry.block, entry.is_shadow)
                })
            })
            .collect()
    }

    /// The index of the block above a key with this index.
    pub(super) fn block_of(&mut self, counter: u64) -> u64 {
        let index = usize::try_from(counter).unwrap_or(0).saturating_sub(1);
        let Some(KeyEntry {
            stem,
            block,
            is_shadow,
            ..
        }) = self.entries.get(index).copied()
        else {
            return 0;
        };
        if let Some(index) = self.find(block) {
            return index;
        }
        let start = index.checked_sub(1).map_or(0, |at| self.entries[at].end);
        self.texts.extend_from_within(start..stem);
        let stem = self.texts.len();
        KeyKind::Block { shadow: is_shadow }.write(&mut self.texts);
        self.push(block, stem, block, is_shadow)
    }

    /// Appends a key that is not in the table. The key has no fingerprint, so it is not found
    /// again.
    pub(super) fn add(&mut self, write: impl FnOnce(&Naming, &mut String)) {
        write(&self.naming, &mut self.texts);
        let end = self.texts.len();
        self.entries.push(KeyEntry {
            stem: end,
            end,
            block: Fingerprint::new(0, 0),
            is_shadow: false,
        });
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn naming(&self) -> &Naming {
        &self.naming
    }

    /// The length of all texts together, in bytes.
    pub(super) fn length(&self) -> usize {
        self.texts.len()
    }

    /// The text of the key at an index from 1.
    pub(super) fn text(&self, index: u64) -> &str {
        let index = usize::try_from(index).unwrap_or(0).saturating_sub(1);
        self.text_at(index)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.entries.len()).map(|index| self.text_at(index))
    }

    fn text_at(&self, index: usize) -> &str {
        let start = index.checked_sub(1).map_or(0, |at| self.entries[at].end);
        let end = self.entries.get(index).map_or(start, |entry| entry.end);
        &self.texts[start..end]
    }

    fn find(&self, fingerprint: Fingerprint) -> Option<u64> {
        let known = self
            .indices
            .find(fingerprint.hash(), |(of, _)| *of == fingerprint);
        known.map(|(_, index)| *index)
    }

    /// Makes what was written last a key of the table.
    fn push(
        &mut self,
        fingerprint: Fingerprint,
        stem: usize,
        block: Fingerprint,
        is_shadow: bool,
    ) -> u64 {
        self.entries.push(KeyEntry {
            stem,
            end: self.texts.len(),
            block,
            is_shadow,
        });
        let index = self.entries.len() as u64;
        self.indices
            .insert_unique(fingerprint.hash(), (fingerprint, index), |(of, _)| {
                of.hash()
            });
        index
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_throttle_core::{identity::Identity, limit::Limit};

    #[test]
    fn each_key_has_one_index() {
        let limits = [Limit::per_second(1), Limit::per_minute(1)];
        let naming = Naming {
            prefix: "p".into(),
            plain: false,
        };
        let (mut keys, hasher) = (KeyTable::new(&naming), KeyHasher::new());
        let mut expected = Vec::new();
        // The second round finds every key in the table.
        for round in 0..2 {
            for index in 0..40 {
                let identity = Identity::new(format!("user{index}"));
                let of = |limit| Key::counter(&identity, limit);
                let indices = limits
                    .each_ref()
                    .map(|limit| keys.counter_and_block(&of(limit), &hasher));
                let [(first, block), (second, same_block)] = indices;
                let base = index * 3;
                assert_eq!((first, block, second), (base + 1, base + 2, base + 3));
                assert_eq!(block, same_block);
                assert_eq!(keys.index_of(&of(&limits[0]).block(), &hasher), block);
                if round == 0 {
                    expected.push(of(&limits[0]).text(&naming));
                    expected.push(of(&limits[0]).block().text(&naming));
                    expected.push(of(&limits[1]).text(&naming));
                }
            }
        }
        assert!(keys.iter().eq(expected.iter().map(String::as_str)));
    }
}
