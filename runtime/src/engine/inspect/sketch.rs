//! [`HeavyHitters`]: which identities a policy denies most, in bounded memory, however many there
//! are. The recorder counts into it; it knows no clock.
//!
//! The sketch is Space-Saving (Metwally, Agrawal, El Abbadi: "Efficient Computation of Frequent and
//! Top-k Elements in Data Streams", 2005). It is written here because it is forty lines, and the
//! entries have to be bounded in bytes too: identities come from clients.

use std::hash::BuildHasher;

use actix_throttle_core::{identity::Identity, time::Micros};
use foldhash::quality::RandomState;

/// The number of identities that one sketch tells apart.
pub(super) const CAPACITY: usize = 32;
/// The longest text of an identity that a sketch keeps, in bytes.
const LONGEST: usize = 4 * 1024;

/// Counts of identities.
///
/// # Invariant
///
/// An identity that was counted more often than `total / CAPACITY` times has an entry. The count of
/// an entry is at least the true one, and at most `excess` above it.
#[derive(Debug)]
pub(super) struct HeavyHitters {
    entries: Vec<HeavyHitter>,
    /// A secret of the process: without it, no client can choose identities that collide.
    hasher: RandomState,
}

/// One identity, with how often it was counted.
#[derive(Clone, Debug)]
pub(super) struct HeavyHitter {
    hash: u64,
    pub(super) count: u64,
    /// The part of the count that may belong to identities that the entry had before.
    pub(super) excess: u64,
    pub(super) latest: Micros,
    pub(super) identity: Kept,
}

/// An identity as a sketch keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kept {
    Whole(Identity),
    /// The text that keys have, because the whole identity is too long.
    Text(Box<str>),
}

impl HeavyHitters {
    pub(super) fn new(hasher: RandomState) -> Self {
        Self {
            entries: Vec::new(),
            hasher,
        }
    }

    /// Counts an identity. It allocates for an identity that has no entry, and only then.
    pub(super) fn count(&mut self, identity: &Identity, now: Micros) {
        let hash = self.hash(identity);
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.hash == hash) {
            entry.count += 1;
            entry.latest = now;
            return;
        }
        let (at, excess) = if self.entries.len() < CAPACITY {
            (self.entries.len(), 0)
        } else {
            self.least()
        };
        let entry = HeavyHitter {
            hash,
            count: excess + 1,
            excess,
            latest: now,
            identity: Kept::of(identity),
        };
        match self.entries.get_mut(at) {
            Some(least) => *least = entry,
            None => self.entries.push(entry),
        }
    }

    /// Adds the counts of another sketch with this hasher.
    pub(super) fn merge(&mut self, other: &Self) {
        for entry in &other.entries {
            match self.entries.iter_mut().find(|own| own.hash == entry.hash) {
                Some(own) => {
                    own.count += entry.count;
                    own.excess += entry.excess;
                    own.latest = own.latest.max(entry.latest);
                }
                None => self.entries.push(entry.clone()),
            }
        }
    }

    /// Returns the entries, the most frequent first.
    pub(super) fn most(mut self) -> Vec<HeavyHitter> {
        let order = |entry: &HeavyHitter| (entry.count - entry.excess, entry.count, entry.latest);
        self.entries
            .sort_by_key(|entry| std::cmp::Reverse(order(entry)));
        self.entries
    }

    fn hash(&self, identity: &Identity) -> u64 {
        // The group selects limits; it does not tell identities apart.
        self.hasher.hash_one((identity.source(), identity.value()))
    }

    /// The index of the entry with the least count, and that count.
    fn least(&self) -> (usize, u64) {
        let counts = self.entries.iter().map(|entry| entry.count).enumerate();
        counts.min_by_key(|(_, count)| *count).unwrap_or((0, 0))
    }
}

impl Kept {
    fn of(identity: &Identity) -> Self {
        if identity.text_bytes() <= LONGEST {
            Self::Whole(identity.without_group())
        } else {
            Self::Text(identity.to_string().into())
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    fn user(number: u32) -> Identity {
        Identity::new(format!("u{number}"))
    }

    fn counted(stream: impl IntoIterator<Item = u32>) -> HeavyHitters {
        let mut sketch = HeavyHitters::new(RandomState::default());
        for (now, number) in (0..).zip(stream) {
            sketch.count(&user(number), now);
        }
        sketch
    }

    #[test]
    fn few_identities_are_counted_exactly() {
        let sketch = counted([1, 2, 1, 3, 1, 2]);
        let counts: Vec<_> = sketch
            .most()
            .into_iter()
            .map(|one| (one.identity, one.count, one.excess))
            .collect();
        let expected =
            [(1, 3), (2, 2), (3, 1)].map(|(number, count)| (Kept::of(&user(number)), count, 0));
        assert_eq!(counts, expected);
    }

    #[test]
    fn identity_in_a_flood_of_others_is_found() {
        // One in ten requests is of the attacker, and all others of an identity each.
        let stream = (0..100_000).map(|at| if at % 10 == 0 { 0 } else { at });
        let most = counted(stream).most();
        assert_eq!(most.len(), CAPACITY);
        assert_eq!(most[0].identity, Kept::Whole(user(0)));
        assert!(most[0].count - most[0].excess <= 10_000 && most[0].count >= 10_000);
    }

    #[test]
    fn long_identity_is_counted_without_its_text() {
        let mut sketch = HeavyHitters::new(RandomState::default());
        let long = Identity::header("x-api-key", "k".repeat(LONGEST + 1));
        for _ in 0..3 {
            sketch.count(&long, 7);
        }
        let most = sketch.most();
        assert_eq!((most.len(), most[0].count, most[0].latest), (1, 3, 7));
        assert_eq!(most[0].identity, Kept::Text(long.to_string().into()));
        assert!(long.to_string().len() < 100);
    }

    #[test]
    fn group_tells_no_identities_apart() {
        let mut sketch = HeavyHitters::new(RandomState::default());
        sketch.count(&user(1), 0);
        sketch.count(&user(1).group("pro"), 0);
        assert_eq!(sketch.most()[0].count, 2);
    }

    proptest! {
        #[test]
        fn counts_are_within_their_bounds(stream in prop::collection::vec(0_u32..200, 0..2_000), cut in 0_usize..2_000) {
            let cut = cut.min(stream.len());
            let mut truth: HashMap<u32, u64> = HashMap::new();
            for number in &stream {
                *truth.entry(*number).or_default() += 1;
            }
            let hasher = RandomState::default();
            let part = |part: &[u32]| {
                let mut sketch = HeavyHitters::new(hasher.clone());
                for number in part {
                    sketch.count(&user(*number), 0);
                }
                sketch
            };
            let mut both = part(&stream[..cut]);
            both.merge(&part(&stream[cut..]));
            let most = both.most();
            for (number, times) in truth {
                match most.iter().find(|one| one.identity == Kept::of(&user(number))) {
                    // A part may have lost it; all that it can have lost is the bound of that part.
                    Some(one) => {
                        let lost = stream.len() as u64 / CAPACITY as u64;
                        prop_assert!(one.count + lost >= times);
                        prop_assert!(one.count - one.excess <= times);
                    }
                    None => prop_assert!(times <= (stream.len() / CAPACITY) as u64),
                }
            }
        }
    }
}
