//! Checks: the limits of one request, as they go to a store, and what a store returns.

use smallvec::SmallVec;

use crate::{
    algorithm::{Receipt, Settlement, Wait},
    decision::{Decision, DecisionSource, LimitStatus, Verdict},
    failure_mode::FailureMode,
    key::Key,
    limit::{Algorithm, LimitRef},
    time::Micros,
};

/// The limits of one request, which are charged together or not at all.
#[derive(Debug)]
pub struct Check<'a> {
    pub mode: Mode<'a>,
    /// No two charges have the same key.
    pub charges: Charges<'a>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode<'a> {
    /// Charges all limits if all of them have room.
    Charge,
    /// Charges like [`Charge`](Self::Charge), and returns what was taken in [`Outcome::receipts`].
    ChargeForReceipts,
    /// Returns how the limits stand, and changes nothing.
    Peek,
    /// Refunds these charges, given as they were made, each by its receipt. A charge without a
    /// receipt took nothing and is only peeked at. A refund is always allowed and leaves blocks as
    /// they are.
    ///
    /// A receipt must be refunded at most once: a second refund takes from the usage of other
    /// charges, though never below zero.
    Refund(&'a [Option<Receipt>]),
    /// Changes the costs of these charges, given as they were made. A cost may go up although there
    /// is no room for it: the counter is then in debt. A charge without a settlement is only peeked
    /// at. It is always allowed, and leaves blocks as they are.
    Settle(&'a [Option<Settlement>]),
    /// Charges all limits, whether or not they have room, and returns what was taken in
    /// [`Outcome::receipts`]. It is always allowed, is for rates alone, and leaves blocks as they
    /// are.
    Force,
    /// Renews each permit, so that its expiry counts from now. A permit that has expired is
    /// acquired again if there is one; if not, its verdict has a wait. Each permit is renewed by
    /// itself, whatever happens to the other permits, and blocks do not matter: the work that the
    /// permit is for runs already. It is always allowed, and is for concurrency limits alone.
    Renew,
    /// Takes as much of each charge's cost as [`Charge::may_lease`] says, and returns how much that
    /// was in [`Outcome::receipts`]. It is always allowed.
    Lease,
}

/// A lease takes at most this fraction of the remaining quota. Leases thus shrink with the quota,
/// and other processes find something to lease as well.
const LEASE_SHARE: u32 = 4;

impl Mode<'_> {
    #[inline]
    pub fn is_charge(self) -> bool {
        matches!(self, Self::Charge | Self::ChargeForReceipts)
    }

    /// Returns whether the outcome has receipts.
    #[inline]
    pub fn has_receipts(self) -> bool {
        matches!(self, Self::ChargeForReceipts | Self::Lease | Self::Force)
    }

    /// Returns whether this mode changes charges that were made before.
    #[inline]
    pub fn is_settlement(self) -> bool {
        matches!(self, Self::Refund(_) | Self::Settle(_))
    }

    /// Returns what is to become of the charge at this index.
    #[inline]
    pub fn settlement(self, index: usize) -> Option<Settlement> {
        match self {
            Self::Refund(receipts) => receipts.get(index)?.map(Settlement::refund),
            Self::Settle(settlements) => *settlements.get(index)?,
            _ => None,
        }
    }

    /// Returns whether this mode can deny the check as a whole.
    #[inline]
    pub fn can_deny(self) -> bool {
        matches!(self, Self::Charge | Self::ChargeForReceipts | Self::Peek)
    }
}

/// One receipt for each charge if receipts were asked for, else empty. `None` stands for a charge
/// that took nothing: a denied one, a shadow limit without room, or a cost of 0.
pub type Receipts = Vec<Option<Receipt>>;

/// Inline capacity for one charge, because most requests have one. A larger inline capacity would
/// make every check larger to move.
pub type Charges<'a> = SmallVec<[Charge<'a>; 1]>;

/// One limit for one identity, and the cost to charge.
#[derive(Clone, Copy, Debug)]
pub struct Charge<'a> {
    pub key: Key<'a>,
    pub limit: LimitRef<'a>,
    /// The cost; 1 for a permit.
    pub cost: u32,
    /// The mode that decides this charge if the store cannot.
    pub failure_mode: FailureMode,
}

impl Charge<'_> {
    /// Returns how much a lease of this charge may take.
    #[inline]
    pub fn may_lease(&self, verdict: &Verdict) -> u32 {
        // A lease never opens a fixed window: only the charge of a request does.
        if self.limit.algorithm() == Some(Algorithm::FixedWindow) && verdict.reset == 0 {
            return 0;
        }
        self.cost.min(verdict.remaining / LEASE_SHARE)
    }

    /// Returns whether a store without room for this charge must fail the whole check. A cost of 0
    /// is not stored, and a shadow limit denies nothing.
    #[inline]
    pub fn needs_room(&self) -> bool {
        self.cost > 0 && !self.limit.is_shadow()
    }

    /// Returns whether this denial starts a block: the limit has one, the identity is not blocked
    /// yet, and a wait would help. A shadow limit's denial starts a block only if the request was
    /// admitted.
    #[inline]
    pub fn starts_block(&self, verdict: &Verdict, allowed: bool) -> bool {
        self.limit.block_micros() > 0
            && !verdict.blocked
            && matches!(verdict.wait, Wait::For(_))
            && allowed == self.limit.is_shadow()
    }
}

/// The outcome of one check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    pub allowed: bool,
    /// One verdict for each charge, as its limit stands after the decision.
    pub verdicts: SmallVec<[Verdict; 1]>,
    /// The receipts; empty unless they were asked for.
    pub receipts: Receipts,
    /// Receipts of the local fallback for what was mirrored to it; empty if nothing was.
    pub mirror_receipts: Receipts,
    /// The time for which a denial stays valid while nothing is charged, apart from times that
    /// count down, in microseconds. 0 means unknown. The denial cache keeps a denial for that long
    /// at most.
    pub stable_for: Micros,
    pub source: DecisionSource,
}

pub type Outcomes = SmallVec<[Outcome; 1]>;

impl Outcome {
    /// Returns the decision on these charges, each with its index among the charges of the whole
    /// check.
    #[inline]
    pub fn decision<'c, 'a: 'c>(
        &self,
        charges: impl Iterator<Item = (u32, &'c Charge<'a>)>,
    ) -> Decision {
        let limits = charges
            .zip(&self.verdicts)
            .map(|((index, charge), verdict)| LimitStatus::new(charge.limit, *verdict, index));
        Decision::new(self.allowed, limits).with_source(self.source)
    }

    /// Applies a block that lasts for `left` microseconds to the outcome, as the script does.
    #[inline]
    pub fn block_for(&mut self, charge: &Charge<'_>, left: Micros, can_deny: bool) {
        let Some(verdict) = self.verdicts.first_mut().filter(|_| left > 0) else {
            return;
        };
        verdict.block_for(left);
        if self.stable_for > 0 {
            // The next denial may start another block once this one is over.
            self.stable_for = self.stable_for.min(left);
        }
        if can_deny && !charge.limit.is_shadow() {
            self.allowed = false;
        }
    }
}
