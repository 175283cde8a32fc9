//! The debt of a bucket: the tokens that are missing until it is full. They drain at T per window
//! W, without rounding. The token bucket and the leaky bucket use it.
//!
//! The debt stores the missing tokens, not the present ones: an absent key is then a full bucket,
//! and a raised or lowered capacity keeps what was used. It counts in units of a W-th of a token,
//! of which exactly T drain per microsecond, so rounding errors cannot add up.

use super::{
    arithmetic::{div_ceil, div_rem, saturate, saturate_count},
    full_for::FullFor,
};
use crate::{limit::Limit, time::Micros};

/// The flag in the stored `part` of a debt that a settlement has made larger than the capacity.
/// A part is below 2^45. `bucket.lua` repeats it.
pub(crate) const IS_BEYOND: u64 = 1 << 47;

/// The flag in the stored `part` of a bucket that keeps the charges that may still be settled.
/// `bucket.lua` repeats it.
pub(crate) const HAS_HISTORY: u64 = 1 << 46;

/// A debt of `whole + part / W` tokens as of `since`.
///
/// The fields are packed, so that a [`State`](super::State) of it takes three words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(Rust, packed)]
pub(crate) struct Debt {
    whole: u32,
    /// The fraction, with the flag [`IS_BEYOND`].
    part: [u8; 6],
    since: Micros,
    full_for: FullFor,
}

impl Debt {
    /// Returns the debt that the script has stored. `part` may contain [`IS_BEYOND`].
    #[inline]
    pub(super) fn stored(whole: u32, part: u64, since: Micros) -> Self {
        Self {
            whole,
            part: six_bytes(part),
            since,
            full_for: FullFor::default(),
        }
    }

    /// Returns the tokens that were missing as of a time: whole ones, and W-ths of one.
    pub(super) fn numbers(self) -> (u32, u64, Micros) {
        (self.whole, self.part(), self.since)
    }

    /// Returns the debt of a bucket of `capacity` that owes this much as of `since`.
    #[inline]
    pub(super) fn new(
        owed: TokenDebt,
        limit: &Limit,
        capacity: u32,
        since: Micros,
        full_for: FullFor,
    ) -> Self {
        let (whole, part) = div_rem(owed.0, limit.window_micros());
        let whole = saturate_count(whole);
        let flag = if is_beyond(whole, part, capacity) {
            IS_BEYOND
        } else {
            0
        };
        Self {
            whole,
            part: six_bytes(part | flag),
            since,
            full_for,
        }
    }

    #[inline]
    fn part_and_flag(&self) -> u64 {
        let [a, b, c, d, e, f] = self.part;
        u64::from_le_bytes([a, b, c, d, e, f, 0, 0])
    }

    #[inline]
    fn part(&self) -> u64 {
        self.part_and_flag() & !IS_BEYOND
    }

    /// Returns the fraction of a token that is owed at `now`. Together with what remains, it gives
    /// the exact debt.
    #[inline]
    pub(super) fn receipt_tag(&self, limit: &Limit, capacity: u32, now: Micros) -> u64 {
        let owed = self.at_time(limit, capacity, now).map_or(0, |owed| owed.0);
        div_rem(owed, limit.window_micros()).1
    }

    /// Returns how much of a charge to a bucket without debt has drained by `now`, in W-ths of a
    /// token: the part that was not charged at all, and what has drained since.
    #[inline]
    pub(super) fn drained(&self, limit: &Limit, now: Micros) -> u64 {
        let lacked = match self.part() {
            0 => 0,
            part => limit.window_micros().saturating_sub(part),
        };
        let elapsed = u128::from(now.saturating_sub(self.since));
        let drained = elapsed * u128::from(limit.times());
        let drained = drained.min(self.unclamped(limit));
        u64::try_from(drained)
            .unwrap_or(u64::MAX)
            .saturating_add(lacked)
    }

    /// Returns when a bucket of `capacity` is or was without debt, in whole microseconds.
    #[inline]
    pub(super) fn paid_at(&self, limit: &Limit, capacity: u32) -> Micros {
        let owed = TokenDebt(self.owed(limit, capacity));
        self.since.saturating_add(owed.drain_time(limit))
    }

    #[inline]
    pub(super) fn full_for(&self) -> FullFor {
        self.full_for
    }

    /// Returns how long the bucket has been full at any time until `now`.
    #[inline]
    pub(super) fn full_for_at(&self, limit: &Limit, capacity: u32, now: Micros) -> FullFor {
        let Some(elapsed) = now.checked_sub(self.since) else {
            return self.full_for;
        };
        let (paid_after, _) = div_rem(self.owed(limit, capacity), limit.times().into());
        self.full_for
            .plus(elapsed.saturating_sub(saturate(paid_after)))
    }

    /// Returns whether this is the debt of a bucket that has no state.
    #[inline]
    pub(super) fn is_absent(&self) -> bool {
        self.since == 0
    }

    #[inline]
    pub(super) fn since(&self) -> Micros {
        self.since
    }

    /// Refunds `left`, a part of what is still owed; returns whether anything was.
    #[inline]
    pub(super) fn lower(
        &mut self,
        left: TokenDebt,
        limit: &Limit,
        capacity: u32,
        now: Micros,
    ) -> bool {
        let owed = self.at_time(limit, capacity, now).map_or(0, |owed| owed.0);
        if left.0 == 0 || owed == 0 {
            return false;
        }
        // A smaller debt then is a debt smaller by as much now. The capacity is left out, because
        // today's may be larger and allow a larger debt.
        let kept = TokenDebt(self.unclamped(limit).saturating_sub(left.0));
        let (whole, part) = div_rem(kept.0, limit.window_micros());
        let whole = saturate_count(whole);
        let flag = if is_beyond(whole, part, capacity) {
            self.part_and_flag() & IS_BEYOND
        } else {
            0
        };
        self.whole = whole;
        self.part = six_bytes(part | flag);
        true
    }

    /// Adds to the debt as of its `since`.
    #[inline]
    pub(super) fn raise(&mut self, more: TokenDebt, limit: &Limit, capacity: u32) {
        let owed = TokenDebt(self.owed(limit, capacity) + more.0);
        *self = Self::new(owed, limit, capacity, self.since, self.full_for);
    }

    #[inline]
    fn unclamped(&self, limit: &Limit) -> u128 {
        u128::from(self.whole) * u128::from(limit.window_micros()) + u128::from(self.part())
    }

    /// Returns the debt as of `since`, in W-ths of a token. A debt above `capacity` is one of a
    /// capacity that was lowered since, and counts as `capacity`, so that no identity is locked
    /// out; unless a settlement has made it.
    #[inline]
    fn owed(&self, limit: &Limit, capacity: u32) -> u128 {
        let owed = self.unclamped(limit);
        match self.part_and_flag() & IS_BEYOND {
            0 => owed.min(TokenDebt::tokens(capacity, limit).0),
            _ => owed,
        }
    }

    /// Returns what a bucket of `capacity` owes at `now`, or as an `Err` by how many W-ths of a
    /// token it has drained past zero.
    #[inline]
    pub(super) fn at_time(
        &self,
        limit: &Limit,
        capacity: u32,
        now: Micros,
    ) -> Result<TokenDebt, u128> {
        let Some(elapsed) = now.checked_sub(self.since) else {
            return Ok(TokenDebt(0));
        };
        let drained = u128::from(elapsed) * u128::from(limit.times());
        let owed = self.owed(limit, capacity);
        match owed.checked_sub(drained) {
            Some(owed) => Ok(TokenDebt(owed)),
            None => Err(drained - owed),
        }
    }
}

/// Returns whether a debt of `whole` tokens and `part` of one is larger than the capacity.
#[inline]
fn is_beyond(whole: u32, part: u64, capacity: u32) -> bool {
    whole > capacity || whole == capacity && part > 0
}

#[inline]
fn six_bytes(number: u64) -> [u8; 6] {
    let [a, b, c, d, e, f, _, _] = number.to_le_bytes();
    [a, b, c, d, e, f]
}

/// An amount in W-ths of a token, where W is the window in microseconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct TokenDebt(pub(super) u128);

impl TokenDebt {
    #[inline]
    pub(super) fn tokens(count: u32, limit: &Limit) -> Self {
        Self(u128::from(count) * u128::from(limit.window_micros()))
    }

    /// Returns how long this amount takes to drain, rounded up.
    #[inline]
    pub(super) fn drain_time(self, limit: &Limit) -> Micros {
        match self.0 {
            0 => 0,
            owed => saturate(div_ceil(owed, limit.times().into())),
        }
    }

    /// Returns the amount in tokens, rounded up.
    #[inline]
    pub(super) fn in_tokens(self, limit: &Limit) -> u32 {
        saturate_count(div_ceil(self.0, limit.window_micros()))
    }
}
