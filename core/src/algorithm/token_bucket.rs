//! Token bucket: it starts full at C tokens and gains T per window W, and a request takes its cost.
//! The twin of `token_bucket.lua`.
//!
//! Source: RFC 2697 and related RFCs use the name; `greedy` and `interval` are Bucket4j's names for
//! the two kinds of refill.

use super::{
    Settlement,
    bucket_charge::BucketCharge,
    counter_state::CounterState,
    debt::{Debt, TokenDebt},
};
use crate::{limit::Limit, time::Micros};

/// A bucket with greedy refill: tokens arrive continuously.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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

    #[inline]
    pub(super) fn full_for(&self) -> Micros {
        self.0.full_for().micros()
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
        let full_for = match owed.0 {
            0 => self.0.full_for_at(limit, limit.quota(), now),
            _ => self.0.full_for(),
        };
        let owed = TokenDebt(owed.0 + TokenDebt::tokens(cost, limit).0);
        self.0 = Debt::new(owed, limit, limit.quota(), now, full_for);
        owed
    }

    /// Returns when the bucket was or will be full. A charge to a bucket that is not full loses
    /// nothing, whenever it comes.
    #[inline]
    fn due_at(&self, limit: &Limit, _now: Micros) -> Micros {
        self.0.paid_at(limit, limit.quota())
    }

    #[inline]
    fn settle(&mut self, limit: &Limit, settlement: &Settlement, now: Micros) -> bool {
        let receipt = &settlement.receipt;
        let missing = limit.quota().saturating_sub(receipt.remaining);
        // The debt is rounded up, with a fraction of `tag` W-ths of a token.
        let missing = missing.saturating_sub(u32::from(receipt.tag > 0));
        let tokens = |count| TokenDebt::tokens(count, limit).0;
        let charged = tokens(missing) + u128::from(receipt.tag) + tokens(settlement.from);
        let charged = charged.saturating_sub(tokens(receipt.taken));
        let own = tokens(settlement.from);
        let charge = BucketCharge {
            limit,
            capacity: limit.quota(),
            // The receipt of a forced charge does not show a debt above the capacity.
            charged: TokenDebt(match receipt.remaining {
                0 => charged.max(own),
                _ => charged,
            }),
            own: TokenDebt(own),
            settlement,
        };
        charge.settle(&mut self.0, now)
    }

    #[inline]
    fn available(&self, owed: &TokenDebt, limit: &Limit, _now: Micros) -> (u32, Micros) {
        let remaining = limit.quota().saturating_sub(owed.in_tokens(limit));
        (remaining, owed.drain_time(limit))
    }
}
