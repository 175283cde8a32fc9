//! The limits that the checks of one call name.

use super::script::push;
use crate::{
    limit::{Algorithm, LimitRef, Refill},
    store::interface::Charge,
};

/// How many bytes say all about one.
const WIDTH: usize = 1 + 1 + 4 + 6 + 4 + 4 + 6;

/// Numbers and costs, each once: most requests of a batch are under the same limits.
#[derive(Debug)]
pub(super) struct LimitTable {
    packed: Vec<u8>,
}

impl Default for LimitTable {
    /// Room for one, and for another to be compared with it.
    fn default() -> Self {
        Self {
            packed: Vec::with_capacity(2 * WIDTH),
        }
    }
}

impl LimitTable {
    /// The place of what this charge asks, from 1 as Lua counts, but none of `used`: two charges of
    /// one check are told apart even where only their keys differ.
    pub(super) fn index_of(&mut self, charge: &Charge<'_>, used: &[u64]) -> u64 {
        let start = self.packed.len();
        let limit = charge.limit;
        push(&mut self.packed, code(limit).into(), 1);
        push(&mut self.packed, limit.is_shadow().into(), 1);
        push(&mut self.packed, limit.times().into(), 4);
        push(&mut self.packed, lasting(limit), 6);
        push(&mut self.packed, limit.quota().into(), 4);
        push(&mut self.packed, charge.cost.into(), 4);
        push(&mut self.packed, limit.block_micros(), 6);
        let (known, new) = self.packed.split_at(start);
        let mut known = (1..).zip(known.chunks_exact(WIDTH));
        let same = known.find(|(place, kind)| *kind == new && !used.contains(place));
        match same {
            Some((place, _)) => {
                self.packed.truncate(start);
                place
            }
            None => self.count(),
        }
    }

    pub(super) fn count(&self) -> u64 {
        (self.packed.len() / WIDTH) as u64
    }

    pub(super) fn packed(&self) -> &[u8] {
        &self.packed
    }
}

/// How long what is taken counts: the window, or for places the expiry.
fn lasting(limit: LimitRef<'_>) -> u64 {
    match limit {
        LimitRef::Rate(limit) => limit.window_micros(),
        LimitRef::Concurrency(limit, _) => limit.expiry_micros(),
    }
}

/// The number of an algorithm in the script.
fn code(limit: LimitRef<'_>) -> u8 {
    let limit = match limit {
        LimitRef::Rate(limit) => limit,
        LimitRef::Concurrency(..) => return 7,
    };
    // Where a bucket counts from the turn that was waited for: see `bucket.lua`.
    let turn = if limit.is_in_turn() { 4 } else { 0 };
    match (limit.kind(), limit.refill_kind()) {
        (Algorithm::SlidingWindow, _) => 1,
        (Algorithm::SlidingWindowCounter, _) => 2,
        (Algorithm::FixedWindow, _) => 3,
        (Algorithm::TokenBucket, Refill::Greedy) => 4 + turn,
        (Algorithm::TokenBucket, Refill::Interval) => 5 + turn,
        (Algorithm::LeakyBucket, _) => 6 + turn,
    }
}
