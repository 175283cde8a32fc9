//! The limit table of one call: the limits that its checks name, each once. The call builder fills
//! it, and `decide.lua` reads it.

use std::time::Duration;

use actix_throttle_core::{
    calendar::Boundaries,
    limit::{Counting, Limit, LimitRef},
    stored::bytes::push,
    time::{Micros, to_micros},
};
use smallvec::SmallVec;

/// The length of one packed limit without what may follow it, in bytes.
const WIDTH: usize = 1 + 1 + 4 + 6 + 4 + 4 + 6;

/// The flag of a limit whose blocks get longer with each offence.
const HAS_STEPS: u64 = 2;

/// The flag of a bucket whose charges may be settled later.
const SETTLES: u64 = 4;

/// Packed limits with their costs, each once: most checks of a batch are under the same limits.
#[derive(Debug)]
pub(super) struct LimitTable {
    packed: Vec<u8>,
    /// The end of each limit in `packed`.
    ends: SmallVec<[usize; 2]>,
    /// Whether a denial by one of them starts a block.
    pub(super) has_blocks: bool,
}

impl Default for LimitTable {
    /// Makes room for one limit, and for another that is compared with it.
    fn default() -> Self {
        Self {
            packed: Vec::with_capacity(2 * WIDTH),
            ends: SmallVec::new(),
            has_blocks: false,
        }
    }
}

impl LimitTable {
    /// The index of this limit and cost, from 1 as Lua counts. The index is none of
    /// `used`: the script keeps working values by index, so two charges of one check need two
    /// entries even where only their keys differ. `now` is about when the script will run.
    pub(super) fn index_of(
        &mut self,
        limit: LimitRef<'_>,
        cost: u32,
        used: &[u64],
        now: impl FnOnce() -> Micros,
    ) -> u64 {
        let start = self.packed.len();
        self.has_blocks |= limit.block_micros() > 0;
        push(&mut self.packed, code(limit).into(), 1);
        let has_steps = !limit.steps().is_empty();
        let flags = u64::from(limit.is_shadow())
            + u64::from(has_steps) * HAS_STEPS
            + u64::from(keeps_charges(limit)) * SETTLES;
        push(&mut self.packed, flags, 1);
        push(&mut self.packed, limit.times().into(), 4);
        push(&mut self.packed, lasting(limit), 6);
        push(&mut self.packed, limit.quota().into(), 4);
        push(&mut self.packed, cost.into(), 4);
        push(&mut self.packed, limit.block_micros(), 6);
        if let Some((period, zone)) = limit.rate().and_then(Limit::calendar) {
            let around = Boundaries::around(period, zone, now());
            self.push_boundaries(&around, limit);
        }
        if has_steps {
            push_steps(&mut self.packed, limit.steps());
        }
        let (known, new) = self.packed.split_at(start);
        let mut begin = 0;
        let known = self.ends.iter().map(|end| {
            let limit = &known[begin..*end];
            begin = *end;
            limit
        });
        let mut known = (1..).zip(known);
        let same = known.find(|(index, limit)| *limit == new && !used.contains(index));
        match same {
            Some((index, _)) => {
                self.packed.truncate(start);
                index
            }
            None => {
                self.ends.push(self.packed.len());
                self.count()
            }
        }
    }

    /// Packs the beginning of the period before, the lengths of three periods, and for how long a
    /// state is kept after its period's end. The script picks the period by its own clock: see
    /// `calendar_window.lua`.
    fn push_boundaries(&mut self, around: &Boundaries, limit: LimitRef<'_>) {
        let Boundaries {
            previous,
            start,
            end,
            next_end,
        } = *around;
        push(&mut self.packed, previous, 7);
        for (from, until) in [(previous, start), (start, end), (end, next_end)] {
            push(&mut self.packed, until.saturating_sub(from), 6);
        }
        let kept = limit.rate().map_or(0, Limit::kept_after_reset);
        push(&mut self.packed, kept, 6);
    }

    /// The table of a call that starts a block by itself.
    pub(super) fn of_block() -> Self {
        Self {
            packed: Vec::new(),
            ends: SmallVec::new(),
            has_blocks: true,
        }
    }

    pub(super) fn count(&self) -> u64 {
        self.ends.len() as u64
    }

    pub(super) fn packed(&self) -> &[u8] {
        &self.packed
    }
}

/// Packs the lengths of a block, which each further offence goes up by one.
pub(super) fn push_steps(packed: &mut Vec<u8>, steps: &[Duration]) {
    push(packed, steps.len() as u64, 1);
    for step in steps {
        push(packed, to_micros(*step), 6);
    }
}

/// Returns how long a charge counts, in microseconds: the window, or the expiry of a permit.
fn lasting(limit: LimitRef<'_>) -> u64 {
    match limit {
        LimitRef::Rate(limit) => limit.window_micros(),
        LimitRef::Concurrency(limit, _) => limit.expiry_micros(),
    }
}

/// Returns whether the store has to keep the charge, because it may be settled later.
fn keeps_charges(limit: LimitRef<'_>) -> bool {
    limit.rate().is_some_and(|limit| {
        let is_bucket = matches!(
            limit.counting(),
            Counting::GreedyBucket | Counting::IntervalBucket | Counting::LeakyBucket
        );
        is_bucket && limit.is_for_settlement()
    })
}

/// The code of an algorithm in the script.
fn code(limit: LimitRef<'_>) -> u8 {
    let limit = match limit {
        LimitRef::Rate(limit) => limit,
        LimitRef::Concurrency(..) => return 7,
    };
    let counting = limit.counting();
    match counting {
        // A bucket that counts from the turn that a request has waited for: see `bucket.lua`.
        Counting::GreedyBucket | Counting::IntervalBucket | Counting::LeakyBucket
            if limit.is_in_turn() =>
        {
            counting.code() + 4
        }
        _ => counting.code(),
    }
}
