//! Token bucket with interval refill: it starts full at C tokens, and T tokens come at the end of
//! each window W. The twin of the second part of `token_bucket.lua`.
//!
//! Source: Bucket4j has the name for this kind of refill.

use super::{
    Settlement,
    arithmetic::{saturate, saturate_count},
    counter_state::CounterState,
    full_for::{FULL_FOR_SPAN, FullFor},
};
use crate::{
    limit::Limit,
    time::{MAX_MICROS, Micros},
};

/// A bucket with interval refill: T tokens at once, one window after the first use of the full
/// bucket and each window after that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(Rust, packed)]
pub struct IntervalBucket {
    missing: u32,
    /// Whether a settlement has made `missing` larger than the capacity.
    is_beyond: bool,
    full_for: FullFor,
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
    pub(super) fn new(missing: u32, is_beyond: bool, anchor: Micros) -> Self {
        Self {
            missing,
            is_beyond,
            full_for: FullFor::default(),
            anchor,
        }
    }

    #[inline]
    pub(super) fn full_for(&self) -> Micros {
        self.full_for.micros()
    }

    /// Returns the missing tokens as of the anchor; see the debt of the other buckets.
    #[inline]
    fn missing(&self, limit: &Limit) -> u32 {
        if self.is_beyond {
            self.missing
        } else {
            self.missing.min(limit.quota())
        }
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
        let owed = u128::from(self.missing(limit));
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
    fn charge(&mut self, view: View, limit: &Limit, cost: u32, now: Micros) -> View {
        let missing = view.missing.saturating_add(cost);
        let full_for = match view.missing {
            0 => {
                let full_since = self.due_at(limit, now);
                self.full_for.plus(now.saturating_sub(full_since))
            }
            _ => self.full_for,
        };
        *self = Self {
            missing,
            is_beyond: missing > limit.quota(),
            full_for,
            anchor: now - view.phase,
        };
        View { missing, ..view }
    }

    /// Returns the time of the refill that filled the bucket.
    #[inline]
    fn due_at(&self, limit: &Limit, _now: Micros) -> Micros {
        let missing = u128::from(self.missing(limit));
        let refills = missing.div_ceil(limit.times().into());
        let length = saturate(refills * u128::from(limit.window_micros()));
        self.anchor.saturating_add(length)
    }

    /// Refunds what refills have not returned of a charge, or charges more, as for the other
    /// buckets. Refills in another phase mean another bucket: the one of the charge was full or
    /// dropped in between.
    #[inline]
    fn settle(&mut self, limit: &Limit, settlement: &Settlement, now: Micros) -> bool {
        let receipt = &settlement.receipt;
        let Some(elapsed) = now.checked_sub(receipt.at) else {
            return false;
        };
        let window = limit.window_micros();
        let anchor = receipt.at.saturating_sub(receipt.tag);
        let charged =
            u64::from(limit.quota().saturating_sub(receipt.remaining)) + u64::from(settlement.from);
        let charged = charged.saturating_sub(receipt.taken.into());
        let charged = charged.max(settlement.from.into());
        let refills = u128::from((now - anchor) / window);
        let refilled = refills * u128::from(limit.times());
        let left = |tokens: u64| saturate_count(u128::from(tokens).saturating_sub(refilled));
        let view = self.view_at(limit, now);
        let has_phase = self.anchor.abs_diff(anchor).is_multiple_of(window);
        let given = left(charged).min(settlement.given());
        if given > 0 {
            if !has_phase || view.missing == 0 {
                return false;
            }
            self.missing = self.missing.saturating_sub(given);
            self.is_beyond &= self.missing > limit.quota();
            return true;
        }
        let more = settlement.more();
        if more == 0 || now < self.anchor {
            return false;
        }
        let is_owed = left(settlement.from.into()) > 0;
        let was_full = if elapsed < FULL_FOR_SPAN {
            self.full_for.since(receipt.full_for) > 0
        } else {
            !is_owed
        };
        if has_phase && !was_full {
            self.missing = self.missing(limit).saturating_add(more);
            self.is_beyond = self.missing > limit.quota();
            return true;
        }
        // The bucket was full in between, or reset, as it surely was if the charge would still be
        // owed.
        let late = left(u64::from(settlement.from) + u64::from(more)).min(more);
        if is_owed || late == 0 {
            return false;
        }
        let (phase, full_for) = match view.missing {
            0 => ((now - anchor) % window, FullFor::new(receipt.full_for)),
            _ => (view.phase, self.full_for),
        };
        let missing = view.missing.saturating_add(late);
        *self = Self {
            missing,
            is_beyond: missing > limit.quota(),
            full_for,
            anchor: now - phase,
        };
        true
    }

    #[inline]
    fn available(&self, view: &View, limit: &Limit, _now: Micros) -> (u32, Micros) {
        let reset = refill_time(view.missing.into(), limit, view.phase);
        (limit.quota().saturating_sub(view.missing), reset)
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
