//! Token bucket: it starts full at C tokens and gains T per window W, and a request takes its cost.
//! The twin of `token_bucket.lua`.
//!
//! Source: RFC 2697 and related RFCs use the name; `greedy` and `interval` are Bucket4j's names for
//! the two kinds of refill.

use super::{
    Receipt,
    arithmetic::{saturate, saturate_count},
    counter_state::CounterState,
    debt::{Debt, TokenDebt},
};
use crate::{
    limit::Limit,
    time::{MAX_MICROS, Micros},
};

/// A bucket with greedy refill: tokens arrive continuously.
#[derive(Clone, Copy, Debug, Default)]
pub struct GreedyBucket(Debt);

impl GreedyBucket {
    #[inline]
    pub(super) fn new(debt: Debt) -> Self {
        Self(debt)
    }

    pub(super) fn debt(&self) -> Debt {
        self.0
    }

    #[inline]
    pub(super) fn receipt_tag(&self, limit: &Limit, now: Micros) -> u64 {
        self.0.receipt_tag(limit, limit.quota(), now)
    }
}

impl CounterState for GreedyBucket {
    type View = TokenDebt;

    #[inline]
    fn view_at(&self, limit: &Limit, now: Micros) -> TokenDebt {
        self.0
            .at_time(limit, limit.quota(), now)
            .unwrap_or(TokenDebt(0))
    }

    #[inline]
    fn wait(&self, owed: &TokenDebt, limit: &Limit, cost: u32, _now: Micros) -> Micros {
        let room = TokenDebt::tokens(limit.quota() - cost, limit);
        TokenDebt(owed.0.saturating_sub(room.0)).drain_time(limit)
    }

    #[inline]
    fn charge(&mut self, owed: TokenDebt, limit: &Limit, cost: u32, now: Micros) -> TokenDebt {
        let owed = TokenDebt(owed.0 + TokenDebt::tokens(cost, limit).0);
        self.0 = Debt::new(owed, limit.window_micros(), now);
        owed
    }

    /// Returns when the bucket was or will be full. A charge to a bucket that is not full loses
    /// nothing, whenever it comes.
    #[inline]
    fn due_at(&self, limit: &Limit, _now: Micros) -> Micros {
        self.0.settled_at(limit, limit.quota())
    }

    #[inline]
    fn refund(&mut self, limit: &Limit, cost: u32, receipt: &Receipt, now: Micros) -> bool {
        let missing = limit.quota().saturating_sub(receipt.remaining);
        let charged = Debt::after_charge(missing, receipt.tag, receipt.at);
        self.0.refund(limit, limit.quota(), cost, &charged, now)
    }

    #[inline]
    fn available(&self, owed: &TokenDebt, limit: &Limit, _now: Micros) -> (u32, Micros) {
        let remaining = limit.quota().saturating_sub(owed.in_tokens(limit));
        (remaining, owed.drain_time(limit))
    }
}

/// A bucket with interval refill: T tokens at once, one window after the first use of the full
/// bucket and each window after that.
#[derive(Clone, Copy, Debug, Default)]
pub struct IntervalBucket {
    missing: u32,
    /// The time of the refill or first use as of which `missing` was counted.
    anchor: Micros,
}

/// The missing tokens, and the time since the latest refill.
pub(super) struct View {
    missing: u32,
    phase: Micros,
}

impl IntervalBucket {
    #[inline]
    pub(super) fn new(missing: u32, anchor: Micros) -> Self {
        Self { missing, anchor }
    }

    /// Returns the tokens that were missing as of a time.
    pub(super) fn numbers(&self) -> (u32, Micros) {
        (self.missing, self.anchor)
    }

    /// Returns the time from the latest refill to the charge, which fixes the phase of the refills.
    #[inline]
    pub(super) fn receipt_tag(&self, limit: &Limit, now: Micros) -> u64 {
        now.saturating_sub(self.anchor) % limit.window_micros()
    }
}

impl CounterState for IntervalBucket {
    type View = View;

    #[inline]
    fn view_at(&self, limit: &Limit, now: Micros) -> View {
        let full = View {
            missing: 0,
            phase: 0,
        };
        let Some(elapsed) = now.checked_sub(self.anchor) else {
            return full;
        };
        let (refills, phase) = match elapsed.checked_sub(limit.window_micros()) {
            None => (0, elapsed),
            Some(_) => (
                elapsed / limit.window_micros(),
                elapsed % limit.window_micros(),
            ),
        };
        let refilled = u128::from(refills) * u128::from(limit.times());
        let owed = u128::from(self.missing.min(limit.quota()));
        match saturate_count(owed.saturating_sub(refilled)) {
            0 => full,
            missing => View { missing, phase },
        }
    }

    #[inline]
    fn wait(&self, view: &View, limit: &Limit, cost: u32, _now: Micros) -> Micros {
        let excess =
            (u64::from(view.missing) + u64::from(cost)).saturating_sub(limit.quota().into());
        refill_time(excess, limit, view.phase)
    }

    #[inline]
    fn charge(&mut self, view: View, _limit: &Limit, cost: u32, now: Micros) -> View {
        let missing = view.missing + cost;
        *self = Self {
            missing,
            anchor: now - view.phase,
        };
        View { missing, ..view }
    }

    /// Returns the time of the refill that filled the bucket.
    #[inline]
    fn due_at(&self, limit: &Limit, _now: Micros) -> Micros {
        let missing = u128::from(self.missing.min(limit.quota()));
        let refills = missing.div_ceil(limit.times().into());
        let length = saturate(refills * u128::from(limit.window_micros()));
        self.anchor.saturating_add(length)
    }

    /// Refunds what refills have not returned of a charge, like [`Debt::refund`]. Refills in
    /// another phase mean another bucket: the one of the charge was full or dropped in between.
    #[inline]
    fn refund(&mut self, limit: &Limit, cost: u32, receipt: &Receipt, now: Micros) -> bool {
        let charged = Self {
            missing: limit.quota().saturating_sub(receipt.remaining),
            anchor: receipt.at.saturating_sub(receipt.tag),
        };
        let beat = self.anchor.abs_diff(charged.anchor) % limit.window_micros();
        if receipt.at > now || beat != 0 || self.view_at(limit, now).missing == 0 {
            return false;
        }
        let left = charged.view_at(limit, now).missing.min(cost);
        self.missing = self.missing.saturating_sub(left);
        left > 0
    }

    #[inline]
    fn available(&self, view: &View, limit: &Limit, _now: Micros) -> (u32, Micros) {
        let reset = refill_time(view.missing.into(), limit, view.phase);
        (limit.quota() - view.missing, reset)
    }
}

/// Returns the time until `tokens` have arrived, `phase` after the latest refill.
#[inline]
fn refill_time(tokens: u64, limit: &Limit, phase: Micros) -> Micros {
    if tokens == 0 {
        return 0;
    }
    let refills = u128::from(tokens.div_ceil(limit.times().into()));
    let length = refills * u128::from(limit.window_micros());
    match saturate(length) {
        MAX_MICROS => MAX_MICROS,
        length => length.saturating_sub(phase),
    }
}
