//! The keys of one call, each once.

use std::hash::{BuildHasher, RandomState};

use hashbrown::HashTable;

use crate::key::Key;

/// Texts behind one another, so that a key costs no allocation of its own.
#[derive(Debug)]
pub(super) struct Keys {
    prefix: Box<str>,
    texts: String,
    /// Where each text ends.
    ends: Vec<usize>,
    /// The places of the texts, by their hashes.
    places: HashTable<usize>,
    hasher: RandomState,
}

impl Keys {
    pub(super) fn new(prefix: &str) -> Self {
        Self {
            prefix: prefix.into(),
            texts: String::new(),
            ends: Vec::new(),
            places: HashTable::new(),
            hasher: RandomState::new(),
        }
    }

    /// The places of a counter and of the block above it, from 1 as Lua counts.
    pub(super) fn counter_and_block(&mut self, counter: &Key<'_>) -> (u64, u64) {
        let start = self.texts.len();
        counter.write_stem(&self.prefix, &mut self.texts);
        let stem = start..self.texts.len();
        counter.slot.write(&mut self.texts);
        let at_counter = self.settle(start);
        // The stem stands there still if the counter is new, and has gone with it if it is not.
        let second = self.texts.len();
        if second > stem.end {
            self.texts.extend_from_within(stem);
        } else {
            counter.write_stem(&self.prefix, &mut self.texts);
        }
        counter.block().slot.write(&mut self.texts);
        (at_counter, self.settle(second))
    }

    /// The place of one key.
    pub(super) fn place(&mut self, key: &Key<'_>) -> u64 {
        let start = self.texts.len();
        key.write_stem(&self.prefix, &mut self.texts);
        key.slot.write(&mut self.texts);
        self.settle(start)
    }

    /// Adds a key that is none of the others.
    #[cfg(feature = "cluster")]
    pub(super) fn add(&mut self, text: &str) {
        self.texts.push_str(text);
        self.ends.push(self.texts.len());
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.ends.len()).map(|index| text(&self.texts, &self.ends, index))
    }

    /// Keeps the text that was written from `start` on if it is new; its place.
    fn settle(&mut self, start: usize) -> u64 {
        let Self {
            texts,
            ends,
            places,
            hasher,
            ..
        } = self;
        let new = &texts[start..];
        let hash = hasher.hash_one(new);
        let known = places.find(hash, |place| text(texts, ends, *place) == new);
        let place = known.copied().unwrap_or_else(|| {
            let place = ends.len();
            let of = |place: &usize| hasher.hash_one(text(texts, ends, *place));
            places.insert_unique(hash, place, of);
            place
        });
        if place == self.ends.len() {
            self.ends.push(self.texts.len());
        } else {
            self.texts.truncate(start);
        }
        place as u64 + 1
    }
}

fn text<'a>(texts: &'a str, ends: &[usize], index: usize) -> &'a str {
    let start = index.checked_sub(1).map_or(0, |before| ends[before]);
    &texts[start..ends[index]]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{identity::Identity, limit::Limit};

    #[test]
    fn each_key_has_one_place() {
        let limits = [Limit::per_second(1), Limit::per_minute(1)];
        let mut keys = Keys::new("p");
        let mut expected = Vec::new();
        // The second round finds everything there.
        for round in 0..2 {
            for index in 0..40 {
                let identity = Identity::new(format!("user{index}"));
                let of = |limit| Key::counter(&identity, limit);
                let places = limits
                    .each_ref()
                    .map(|limit| keys.counter_and_block(&of(limit)));
                let [(first, block), (second, same_block)] = places;
                let base = index * 3;
                assert_eq!((first, block, second), (base + 1, base + 2, base + 3));
                assert_eq!(block, same_block);
                assert_eq!(keys.place(&of(&limits[0]).block()), block);
                if round == 0 {
                    expected.push(of(&limits[0]).text("p"));
                    expected.push(of(&limits[0]).block().text("p"));
                    expected.push(of(&limits[1]).text("p"));
                }
            }
        }
        assert!(keys.iter().eq(expected.iter().map(String::as_str)));
    }
}
