//! The debt of a bucket: the tokens that are missing until it is full. They drain at T per window
//! W, without rounding. The token bucket and the leaky bucket use it.
//!
//! The debt stores the missing tokens, not the present ones: an absent key is then a full bucket,
//! and a raised or lowered capacity keeps what was used. It counts in units of a W-th of a token,
//! of which exactly T drain per microsecond, so rounding errors cannot add up.

use super::arithmetic::{div_ceil, div_rem, saturate, saturate_count};
use crate::{limit::Limit, time::Micros};

/// A debt of `whole + part / W` tokens as of `since`.
///
/// Packed, so that `whole` and the enum tag of a [`State`](super::State) share one word.
#[derive(Clone, Copy, Debug, Default)]
#[repr(Rust, packed(4))]
pub(crate) struct Debt {
    whole: u32,
    part: u64,
    since: Micros,
}

impl Debt {
    #[inline]
    pub(super) fn stored(whole: u32, part: u64, since: Micros) -> Self {
        Self { whole, part, since }
    }

    /// Returns the tokens that were missing as of a time: whole ones, and W-ths of one.
    pub(super) fn numbers(self) -> (u32, u64, Micros) {
        (self.whole, self.part, self.since)
    }

    #[inline]
    pub(super) fn new(owed: TokenDebt, window: Micros, since: Micros) -> Self {
        let (whole, part) = div_rem(owed.0, window);
        Self {
            whole: saturate_count(whole),
            part,
            since,
        }
    }

    /// Returns the debt right after a charge: `tokens` when rounded up, with a fraction of `part`
    /// W-ths of a token.
    #[inline]
    pub(super) fn after_charge(tokens: u32, part: u64, since: Micros) -> Self {
        Self {
            whole: tokens.saturating_sub(u32::from(part > 0)),
            part,
            since,
        }
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
        let lacked = match self.part {
            0 => 0,
            part => limit.window_micros().saturating_sub(part),
        };
        let elapsed = u128::from(now.saturating_sub(self.since));
        let drained = elapsed * u128::from(limit.times());
        let drained = drained.min(self.owed(limit, u32::MAX));
        u64::try_from(drained)
            .unwrap_or(u64::MAX)
            .saturating_add(lacked)
    }

    /// Returns when a bucket of `capacity` is or was without debt, in whole microseconds.
    #[inline]
    pub(super) fn settled_at(&self, limit: &Limit, capacity: u32) -> Micros {
        let owed = TokenDebt(self.owed(limit, capacity));
        self.since.saturating_add(owed.drain_time(limit))
    }

    /// Refunds what time has not drained of a charge of `cost`: what would still be owed of it if
    /// nothing had been charged after it. Later charges can only raise what is still owed of it, so
    /// the bucket is never fuller than without the charge.
    ///
    /// Refunds in between may have lowered that: a receipt then counts debt beneath the charge that
    /// was refunded since. Knowing better would require the bucket's history.
    ///
    /// `charged` is the debt right after the charge.
    #[inline]
    pub(super) fn refund(
        &mut self,
        limit: &Limit,
        capacity: u32,
        cost: u32,
        charged: &Self,
        now: Micros,
    ) -> bool {
        let owed = |state: &Self| state.at_time(limit, capacity, now).map_or(0, |owed| owed.0);
        let left = owed(charged).min(TokenDebt::tokens(cost, limit).0);
        if left == 0 || owed(self) == 0 {
            return false;
        }
        // A smaller debt then is a debt smaller by as much now. The capacity is left out, because
        // today's may be larger and allow a larger debt.
        let kept = self.owed(limit, u32::MAX).saturating_sub(left);
        *self = Self::new(TokenDebt(kept), limit.window_micros(), self.since);
        true
    }

    /// Returns the debt as of `since`, in W-ths of a token and at most `capacity` tokens.
    #[inline]
    fn owed(&self, limit: &Limit, capacity: u32) -> u128 {
        let window = u128::from(limit.window_micros());
        let owed = u128::from(self.whole) * window + u128::from(self.part);
        owed.min(u128::from(capacity) * window)
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
