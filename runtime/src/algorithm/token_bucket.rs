//! Token bucket: starts full at C, gains T a window W, a request takes its cost.
//!
//! Source: RFC 2697 and its kin call it so; `greedy` and `interval` are Bucket4j's names for the
//! two ways to refill.

use super::{
    Quota, Receipt,
    bucket::{Deficit, Owed},
    count, cut,
};
use crate::{
    clock::{FOREVER, Micros},
    limit::Limit,
};

fn owed(state: &Deficit, limit: &Limit, now: Micros) -> Owed {
    state.at(limit, limit.quota(), now).unwrap_or(Owed(0))
}

/// Greedy: tokens come continuously.
pub(super) fn wait(state: &Deficit, limit: &Limit, cost: u32, now: Micros) -> Micros {
    let room = Owed::tokens(limit.quota() - cost, limit);
    let excess = owed(state, limit, now).0.saturating_sub(room.0);
    Owed(excess).drain_time(limit)
}

pub(super) fn charge(state: &mut Deficit, limit: &Limit, cost: u32, now: Micros) {
    let owed = Owed(owed(state, limit, now).0 + Owed::tokens(cost, limit).0);
    *state = Deficit::new(owed, limit.window_micros(), now);
}

pub(super) fn refund(
    state: &mut Deficit,
    limit: &Limit,
    cost: u32,
    receipt: &Receipt,
    now: Micros,
) -> bool {
    let missing = limit.quota().saturating_sub(receipt.remaining);
    let charged = Deficit::charged(missing, receipt.mark, receipt.at);
    state.refund(limit, limit.quota(), cost, &charged, now)
}

pub(super) fn quota(state: &Deficit, limit: &Limit, now: Micros) -> Quota {
    let owed = owed(state, limit, now);
    let missing = count(owed.0.div_ceil(u128::from(limit.window_micros())));
    Quota {
        remaining: limit.quota().saturating_sub(missing),
        reset: owed.drain_time(limit),
    }
}

/// Interval: T tokens at once, a window after the first use of the full bucket and each W after.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct IntervalBucket {
    missing: u32,
    /// The latest refill, or the first use, that `missing` was counted at.
    anchor: Micros,
}

impl IntervalBucket {
    /// The tokens missing at `now`, and how long ago the latest refill was.
    fn at(&self, limit: &Limit, now: Micros) -> (u32, Micros) {
        let Some(elapsed) = now.checked_sub(self.anchor) else {
            return (0, 0);
        };
        let refills = u128::from(elapsed / limit.window_micros());
        let owed = u128::from(self.missing.min(limit.quota()));
        match count(owed.saturating_sub(refills * u128::from(limit.times()))) {
            0 => (0, 0),
            missing => (missing, elapsed % limit.window_micros()),
        }
    }

    pub(super) fn wait(&self, limit: &Limit, cost: u32, now: Micros) -> Micros {
        let (missing, phase) = self.at(limit, now);
        let excess = (u64::from(missing) + u64::from(cost)).saturating_sub(limit.quota().into());
        refill_time(excess, limit, phase)
    }

    pub(super) fn charge(&mut self, limit: &Limit, cost: u32, now: Micros) {
        let (missing, phase) = self.at(limit, now);
        *self = Self {
            missing: missing + cost,
            anchor: now - phase,
        };
    }

    /// How long before the charge the latest refill was: its beat.
    pub(super) fn mark(&self, now: Micros) -> u64 {
        now.saturating_sub(self.anchor)
    }

    /// As [`Deficit::refund`], by refills. Another beat is another bucket: that one was full, or
    /// forgotten, in between.
    pub(super) fn refund(
        &mut self,
        limit: &Limit,
        cost: u32,
        receipt: &Receipt,
        now: Micros,
    ) -> bool {
        let charged = Self {
            missing: limit.quota().saturating_sub(receipt.remaining),
            anchor: receipt.at.saturating_sub(receipt.mark),
        };
        let beat = self.anchor.abs_diff(charged.anchor) % limit.window_micros();
        if receipt.at > now || beat != 0 || self.at(limit, now).0 == 0 {
            return false;
        }
        let left = charged.at(limit, now).0.min(cost);
        self.missing = self.missing.saturating_sub(left);
        left > 0
    }

    pub(super) fn quota(&self, limit: &Limit, now: Micros) -> Quota {
        let (missing, phase) = self.at(limit, now);
        Quota {
            remaining: limit.quota() - missing,
            reset: refill_time(missing.into(), limit, phase),
        }
    }
}

/// How long until `tokens` have come in, `phase` after the latest refill.
fn refill_time(tokens: u64, limit: &Limit, phase: Micros) -> Micros {
    let refills = u128::from(tokens.div_ceil(limit.times().into()));
    let length = refills * u128::from(limit.window_micros());
    match cut(length) {
        FOREVER => FOREVER,
        length => length.saturating_sub(phase),
    }
}
