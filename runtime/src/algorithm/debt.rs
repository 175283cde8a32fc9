//! What a bucket owes: tokens missing until it is full, drained at T a window W without rounding.
//!
//! The missing tokens are kept, not the present ones: an absent key is a full bucket, and a raised
//! or lowered capacity keeps what was used. They are counted in W-ths of a token, exactly what one
//! microsecond drains T of, so no rounding ever adds up.

use super::{div_ceil, div_rem, saturate, saturate_count};
use crate::{clock::Micros, limit::Limit};

/// `whole + part / W` tokens missing at `since`.
///
/// Packed, so that the tag of a [`State`](super::State) and `whole` share one word.
#[derive(Clone, Copy, Debug, Default)]
#[repr(Rust, packed(4))]
pub(crate) struct Debt {
    whole: u32,
    part: u64,
    since: Micros,
}

impl Debt {
    pub(super) fn new(owed: TokenDebt, window: Micros, since: Micros) -> Self {
        let (whole, part) = div_rem(owed.0, window);
        Self {
            whole: saturate_count(whole),
            part,
            since,
        }
    }

    /// What was owed right after a charge: `tokens` when rounded up, of which `part` is the
    /// fraction, in W-ths.
    pub(super) fn after_charge(tokens: u32, part: u64, since: Micros) -> Self {
        Self {
            whole: tokens.saturating_sub(u32::from(part > 0)),
            part,
            since,
        }
    }

    /// The fraction of a token owed at `now`: with what remains, it tells exactly what is owed.
    pub(super) fn receipt_tag(&self, limit: &Limit, capacity: u32, now: Micros) -> u64 {
        let owed = self.at_time(limit, capacity, now).map_or(0, |owed| owed.0);
        div_rem(owed, limit.window_micros()).1
    }

    /// How much of a charge that was the first of an empty bucket has drained by `now`, in W-ths of
    /// a token: what it lacked of whole tokens at once, and what time has taken.
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

    /// When a bucket of `capacity` owed nothing any more, in whole microseconds.
    pub(super) fn settled_at(&self, limit: &Limit, capacity: u32) -> Micros {
        let owed = TokenDebt(self.owed(limit, capacity));
        self.since.saturating_add(owed.drain_time(limit))
    }

    /// Gives back of a charge of `cost` what time has not: what would still be owed of it, had
    /// nothing come after it. Charges that did come can only have made more of it still owed, so
    /// the bucket is never fuller than it would be without that charge.
    ///
    /// Other refunds in between may have made less of it owed: a receipt counts as debt beneath it
    /// what was given back since. To know better, a bucket would have to keep its history.
    ///
    /// `charged` is what was owed right after it.
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
        // Less owed then is as much less owed now. The capacity stays out of it: a greater one of
        // today's may be owed more.
        let kept = self.owed(limit, u32::MAX).saturating_sub(left);
        *self = Self::new(TokenDebt(kept), limit.window_micros(), self.since);
        true
    }

    /// W-ths of a token owed at `since`, at most `capacity` tokens.
    fn owed(&self, limit: &Limit, capacity: u32) -> u128 {
        let window = u128::from(limit.window_micros());
        let owed = u128::from(self.whole) * window + u128::from(self.part);
        owed.min(u128::from(capacity) * window)
    }

    /// What is owed at `now` to a bucket of `capacity`, or by how many W-ths of a token it has
    /// drained past empty.
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

/// W-ths of a token.
#[derive(Clone, Copy, Debug)]
pub(super) struct TokenDebt(pub(super) u128);

impl TokenDebt {
    pub(super) fn tokens(count: u32, limit: &Limit) -> Self {
        Self(u128::from(count) * u128::from(limit.window_micros()))
    }

    /// How long it takes to drain this, rounded up.
    pub(super) fn drain_time(self, limit: &Limit) -> Micros {
        match self.0 {
            0 => 0,
            owed => saturate(div_ceil(owed, limit.times().into())),
        }
    }

    /// How many tokens this is, rounded up.
    pub(super) fn in_tokens(self, limit: &Limit) -> u32 {
        saturate_count(div_ceil(self.0, limit.window_micros()))
    }
}
