//! One charge of a bucket, as its receipt tells it, and how its settlement changes the bucket.
//!
//! A settlement for less refunds what would still be owed of the difference if nothing had been
//! charged after it. Later charges can only raise what is still owed of it, so the bucket is never
//! fuller than without the charge. Refunds in between may have lowered that: a receipt then counts
//! debt beneath the charge that was refunded since. Knowing better would require the bucket's
//! history.
//!
//! A settlement for more charges the difference, less what would have drained of it while the
//! bucket was full. So the debt is what it would be if the charge had been of that cost.

use super::{
    Settlement,
    arithmetic::saturate,
    debt::{Debt, TokenDebt},
    full_for::{FULL_FOR_SPAN, FullFor},
};
use crate::{limit::Limit, time::Micros};

/// The debt right after a charge, as the charge counts so far, and what is to become of it.
pub(super) struct BucketCharge<'a> {
    pub(super) limit: &'a Limit,
    pub(super) capacity: u32,
    /// The debt right after the charge.
    pub(super) charged: TokenDebt,
    /// The part of that debt that is this charge's own.
    pub(super) own: TokenDebt,
    pub(super) settlement: &'a Settlement,
}

impl BucketCharge<'_> {
    /// Settles the charge in this debt; returns whether that has changed it.
    #[inline]
    pub(super) fn settle(&self, debt: &mut Debt, now: Micros) -> bool {
        let Some(elapsed) = now.checked_sub(self.settlement.receipt.at) else {
            return false;
        };
        let drained = u128::from(elapsed) * u128::from(self.limit.times());
        let alone = TokenDebt(self.charged.0.saturating_sub(drained));
        let given = TokenDebt::tokens(self.settlement.given(), self.limit);
        if given.0 > 0 {
            let left = TokenDebt(alone.0.min(given.0));
            return debt.lower(left, self.limit, self.capacity, now);
        }
        let more = TokenDebt::tokens(self.settlement.more(), self.limit);
        if more.0 == 0 || now < debt.since() {
            return false;
        }
        let paid = |full: Micros| u128::from(full) * u128::from(self.limit.times());
        if let Some(full) = self.full_since_charge(debt, elapsed) {
            return self.raise(debt, more, paid(full));
        }
        if self.own.0 > drained {
            // The charge would still be owed: it was deleted with its bucket.
            return false;
        }
        if debt.is_absent() {
            return self.create(debt, more, drained);
        }
        // The bucket has been full since the charge, and its key has expired. It counts as full
        // until the next charge, and time has paid for this one first.
        let full = debt.full_for().since(self.settlement.receipt.at);
        self.raise(debt, more, paid(full).saturating_sub(self.own.0))
    }

    /// Charges `more` to a bucket whose key has expired: it is the one that a charge of that cost
    /// alone would have left. The debt beneath the charge may have been refunded since.
    fn create(&self, debt: &mut Debt, more: TokenDebt, drained: u128) -> bool {
        let receipt = &self.settlement.receipt;
        let owed = TokenDebt(self.own.0 + more.0);
        if owed.0 <= drained {
            return false;
        }
        // Charges before this one find how long the bucket was full.
        let full_for = FullFor::new(receipt.full_for);
        *debt = Debt::new(owed, self.limit, self.capacity, receipt.at, full_for);
        true
    }

    /// Returns how long the bucket has been full between the charge and the latest one. `None` if
    /// this is not the bucket of the charge, but one of the same key that was created later: that
    /// one counts as full for longer than it can have been.
    #[inline]
    fn full_since_charge(&self, debt: &Debt, elapsed: Micros) -> Option<Micros> {
        let receipt = &self.settlement.receipt;
        // Full until the latest charge, and not before this charge by itself had drained.
        let latest = debt.since().saturating_sub(receipt.at);
        let paid_after = saturate(self.own.0 / u128::from(self.limit.times()));
        let longest = latest.saturating_sub(paid_after);
        let full = if elapsed < FULL_FOR_SPAN {
            debt.full_for().since(receipt.full_for)
        } else {
            // The charge is too long ago to know. The most that it may have been is never too
            // little.
            longest
        };
        // Each time is rounded up to a microsecond.
        (full <= longest + 1 && !debt.is_absent()).then_some(full)
    }

    /// Charges `more` on top, less what time has paid while the bucket was full.
    #[inline]
    fn raise(&self, debt: &mut Debt, more: TokenDebt, paid: u128) -> bool {
        let more = TokenDebt(more.0.saturating_sub(paid));
        if more.0 > 0 {
            debt.raise(more, self.limit, self.capacity);
        }
        more.0 > 0
    }
}
