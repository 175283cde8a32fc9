//! The limit table of one call: the limits that its checks name, each once. The call builder fills
//! it, and `decide.lua` reads it.

use actix_throttle_core::{
    check::Charge,
    limit::{Counting, LimitRef},
};

use super::encode::push;

/// The length of one packed limit, in bytes.
const WIDTH: usize = 1 + 1 + 4 + 6 + 4 + 4 + 6;

/// Packed limits with their costs, each once: most checks of a batch are under the same limits.
#[derive(Debug)]
pub(super) struct LimitTable {
    packed: Vec<u8>,
}

impl Default for LimitTable {
    /// Room for one limit, and for another that is compared with it.
    fn default() -> Self {
        Self {
            packed: Vec::with_capacity(2 * WIDTH),
        }
    }
}

impl LimitTable {
    /// The index of this charge's limit and cost, from 1 as Lua counts. The index is none of
    /// `used`: the script keeps working values by index, so two charges of one check need two
    /// entries even where only their keys differ.
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
        let same = known.find(|(index, limit)| *limit == new && !used.contains(index));
        match same {
            Some((index, _)) => {
                self.packed.truncate(start);
                index
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

/// How long a charge counts, in microseconds: the window, or the expiry of a permit.
fn lasting(limit: LimitRef<'_>) -> u64 {
    match limit {
        LimitRef::Rate(limit) => limit.window_micros(),
        LimitRef::Concurrency(limit, _) => limit.expiry_micros(),
    }
}

/// The code of an algorithm in the script.
fn code(limit: LimitRef<'_>) -> u8 {
    let limit = match limit {
        LimitRef::Rate(limit) => limit,
        LimitRef::Concurrency(..) => return 7,
    };
    // A bucket that counts from the turn that a request has waited for: see `bucket.lua`.
    let turn = if limit.is_in_turn() { 4 } else { 0 };
    match limit.counting() {
        Counting::SlidingWindow => 1,
        Counting::SlidingWindowCounter => 2,
        Counting::FixedWindow => 3,
        Counting::GreedyBucket => 4 + turn,
        Counting::IntervalBucket => 5 + turn,
        Counting::LeakyBucket => 6 + turn,
    }
}
