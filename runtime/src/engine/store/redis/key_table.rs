//! The key table of one call: the keys that its checks name, each once. The call builder fills it.

use actix_throttle_core::key::{Key, Naming};
use hashbrown::HashTable;

use crate::engine::store::{expiring_table::Fingerprint, key_hash::KeyHasher};

/// The texts of the keys in one buffer, so that a key costs no allocation of its own.
#[derive(Debug)]
pub(super) struct KeyTable {
    naming: Naming,
    texts: String,
    /// Where each text ends in `texts`.
    ends: Vec<usize>,
    /// The indices of the texts, from 1 as Lua counts, by the fingerprints of their keys. A key
    /// that is in the table is found without writing its text.
    indices: HashTable<(Fingerprint, u64)>,
}

impl KeyTable {
    pub(super) fn new(naming: &Naming) -> Self {
        Self {
            naming: naming.clone(),
            // Room for a counter and its block, with which most calls begin.
            texts: String::with_capacity(128),
            ends: Vec::with_capacity(2),
            indices: HashTable::new(),
        }
    }

    /// The indices of a counter and of the block above it, from 1 as Lua counts.
    pub(super) fn counter_and_block(
        &mut self,
        counter: &Key<'_>,
        hasher: &KeyHasher,
    ) -> (u64, u64) {
        let key_hash = hasher.hash(counter);
        let start = self.texts.len();
        let mut stem = start..start;
        let at_counter = self.insert(key_hash.fingerprint, |naming, texts| {
            counter.write_stem(naming, texts);
            stem.end = texts.len();
            counter.kind.write(texts);
        });
        let block = counter.block();
        let at_block = self.insert(
            hasher.block_fingerprint(&key_hash, counter),
            |naming, texts| {
                match stem.is_empty() {
                    true => block.write_stem(naming, texts),
                    false => texts.extend_from_within(stem),
                }
                block.kind.write(texts);
            },
        );
        (at_counter, at_block)
    }

    /// The index of one key, from 1 as Lua counts.
    pub(super) fn index_of(&mut self, key: &Key<'_>, hasher: &KeyHasher) -> u64 {
        self.insert(hasher.hash(key).fingerprint, |naming, texts| {
            key.write_stem(naming, texts);
            key.kind.write(texts);
        })
    }

    /// Appends a key that is not in the table. The key has no fingerprint, so it is not found
    /// again.
    #[cfg(feature = "cluster")]
    pub(super) fn add(&mut self, text: &str) {
        self.texts.push_str(text);
        self.ends.push(self.texts.len());
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The length of all texts together, in bytes.
    pub(super) fn length(&self) -> usize {
        self.texts.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.ends.len()).map(|index| text(&self.texts, &self.ends, index))
    }

    /// The index of the key with this fingerprint. `write` appends the key's text if the key is
    /// new.
    fn insert(
        &mut self,
        fingerprint: Fingerprint,
        write: impl FnOnce(&Naming, &mut String),
    ) -> u64 {
        let known = self
            .indices
            .find(fingerprint.hash(), |(of, _)| *of == fingerprint);
        if let Some((_, index)) = known {
            return *index;
        }
        write(&self.naming, &mut self.texts);
        self.ends.push(self.texts.len());
        let index = self.ends.len() as u64;
        self.indices
            .insert_unique(fingerprint.hash(), (fingerprint, index), |(of, _)| {
                of.hash()
            });
        index
    }
}

fn text<'a>(texts: &'a str, ends: &[usize], index: usize) -> &'a str {
    let start = index.checked_sub(1).map_or(0, |before| ends[before]);
    &texts[start..ends[index]]
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_throttle_core::{identity::Identity, limit::Limit};

    #[test]
    fn each_key_has_one_place() {
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
