//! [`Charged`]: the charges of decisions, as refunds and settlements find them again. Rules,
//! permits and outbound calls keep it. It changes nothing itself: `settle` does.

use actix_throttle_core::{
    algorithm::{Receipt, Settlement},
    check::{Charge, Check, Mode, Outcome, Receipts},
    decision::Decision,
    failure_mode::FailureMode,
    limit::Limit,
};

use super::concurrency::OwnedCharge;

/// The charges of a decision, whose costs can be changed afterwards. It owns all it needs, so it
/// may outlive the request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Charged(Vec<ChargedItem>);

/// One charge of the decision, with its receipts.
#[derive(Clone, Debug)]
pub(super) struct ChargedItem {
    /// The index of the charge in the decision's check.
    index: u32,
    pub(super) charge: OwnedCharge,
    /// The charge of the store.
    pub(super) store: Option<Counted>,
    /// The charge of the local fallback's in-memory store, which has decided it or mirrored it.
    pub(super) local: Option<Counted>,
    /// The cost that counted before the latest settlement.
    pub(super) before: u32,
    /// The store that has admitted a cost of 0, which has no receipt.
    pub(super) free: Option<DecidedBy>,
}

/// A charge as one of the two stores counts it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Counted {
    receipt: Receipt,
    /// The cost that counts for certain: less than may count while the outcome of a settlement is
    /// unknown, so that no refund returns what others have used.
    cost: u32,
}

/// The store that has decided a charge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DecidedBy {
    Store,
    LocalFallback,
}

/// Receipts of one decision. Each list is empty if there are none, else has one for each charge.
#[derive(Debug, Default)]
pub(crate) struct ChargeReceipts {
    pub(super) store: Receipts,
    pub(super) local: Receipts,
}

impl ChargeReceipts {
    pub(super) fn of(outcome: Outcome) -> Self {
        Self {
            store: outcome.receipts,
            local: outcome.mirror_receipts,
        }
    }

    /// Returns the store that has admitted a charge of cost 0.
    fn free(&self, charge: &Charge<'_>) -> Option<DecidedBy> {
        let is_free = charge.cost == 0 && charge.limit.rate().is_some();
        let by = match (self.store.is_empty(), self.local.is_empty()) {
            (false, _) => Some(DecidedBy::Store),
            (true, false) if charge.failure_mode == FailureMode::Local => {
                Some(DecidedBy::LocalFallback)
            }
            (true, _) => None,
        };
        by.filter(|_| is_free)
    }
}

impl Charged {
    /// Returns what the charges of a check have taken.
    pub(crate) fn of(check: &Check<'_>, receipts: &ChargeReceipts) -> Self {
        let receipt = |of: &Receipts, at: usize| of.get(at).copied().flatten();
        let charges = (0..).zip(&check.charges).enumerate();
        let charged = charges.map(|(at, (index, charge))| ChargedItem {
            index,
            charge: OwnedCharge::of(charge),
            store: receipt(&receipts.store, at).map(Counted::of),
            local: receipt(&receipts.local, at).map(Counted::of),
            before: 0,
            free: receipts.free(charge),
        });
        Self(charged.collect())
    }

    /// Keeps only the charges that `wanted` selects by their index in the decision, and that can be
    /// changed.
    pub(crate) fn retain(self, wanted: impl FnMut(usize) -> bool) -> Self {
        self.split(wanted).0
    }

    /// Splits these charges into those that `wanted` selects by their index in the decision, and
    /// the others, without those that cannot be changed.
    pub(crate) fn split(self, mut wanted: impl FnMut(usize) -> bool) -> (Self, Self) {
        let charges = self.0.into_iter().filter(ChargedItem::can_change);
        let (wanted, others) = charges.partition(|one| wanted(one.index as usize));
        (Self(wanted), Self(others))
    }

    /// Splits these charges into those that a settlement by hand is about, and the others. A
    /// settlement is about the limits that were given a cost; a limit without one counts requests,
    /// whatever they take. If no limit was given a cost, it is about all of them.
    pub(super) fn split_estimates(self) -> (Self, Self) {
        let is_estimate = |one: &ChargedItem| {
            let charge = one.charge.charge();
            charge.cost != 1 || charge.limit.rate().is_some_and(Limit::has_cost)
        };
        if !self.0.iter().any(is_estimate) {
            return (self, Self(Vec::new()));
        }
        let (estimates, others) = self.0.into_iter().partition(is_estimate);
        (Self(estimates), Self(others))
    }

    /// Adds the charges of `other`.
    pub(crate) fn join(mut self, other: Option<Self>) -> Self {
        self.0.extend(other.into_iter().flat_map(|other| other.0));
        self
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the charges of cost 0 that `by` has admitted and that were not charged since.
    pub(super) fn free_by(&self, by: DecidedBy) -> Self {
        let free = |one: &&ChargedItem| one.free == Some(by) && !one.has_receipt();
        Self(self.0.iter().filter(free).cloned().collect())
    }

    /// Records what counts before a settlement.
    pub(super) fn start_settlement(&mut self) {
        for one in &mut self.0 {
            one.before = one.counted();
        }
    }

    /// Records that what `by` has charged counts as `to` from now on.
    pub(super) fn count_as(&mut self, by: DecidedBy, to: u32) {
        for counted in self.counted_by(by) {
            counted.cost = to;
        }
    }

    /// Records that what `by` has charged may count as `to` from now on, or as before: the
    /// settlement failed, and may have been carried out all the same.
    pub(super) fn may_count_as(&mut self, by: DecidedBy, to: u32) {
        for counted in self.counted_by(by) {
            counted.cost = counted.cost.min(to);
        }
    }

    fn counted_by(&mut self, by: DecidedBy) -> impl Iterator<Item = &mut Counted> {
        self.0.iter_mut().filter_map(move |one| match by {
            DecidedBy::Store => one.store.as_mut(),
            DecidedBy::LocalFallback => one.local.as_mut(),
        })
    }

    /// Returns the largest cost among the charges.
    pub(crate) fn cost(&self) -> u32 {
        let costs = self.0.iter().map(|one| one.charge.charge().cost);
        costs.max().unwrap_or(0)
    }

    /// Returns the end of the range of the charges' indices.
    pub(super) fn indices_end(&self) -> usize {
        let last = self.0.iter().map(|one| one.index as usize).max();
        last.map_or(0, |last| last + 1)
    }

    pub(super) fn items(&self) -> &[ChargedItem] {
        &self.0
    }

    pub(super) fn items_mut(&mut self) -> &mut [ChargedItem] {
        &mut self.0
    }

    /// Returns a part of each charge that was made, as a lease serves one.
    #[cfg(feature = "test-util")]
    pub(super) fn part(&self, cost: u32) -> Self {
        let mut part = self.clone();
        for one in &mut part.0 {
            for counted in one.store.iter_mut().chain(&mut one.local) {
                counted.receipt.taken = cost;
                counted.cost = cost;
            }
        }
        part
    }

    /// Whether each charge took anything at all.
    #[cfg(feature = "test-util")]
    pub(super) fn was_charged(&self) -> Vec<bool> {
        self.0.iter().map(ChargedItem::has_receipt).collect()
    }

    /// Returns the settlements at `to` of what `by` has charged.
    pub(super) fn settlements(&self, by: DecidedBy, to: u32) -> Vec<Option<Settlement>> {
        let settlement = |one: &ChargedItem| {
            let counted = match by {
                DecidedBy::Store => one.store,
                DecidedBy::LocalFallback => one.local,
            };
            counted.map(|Counted { receipt, cost }| Settlement {
                receipt,
                from: cost,
                to,
            })
        };
        self.0.iter().map(settlement).collect()
    }

    pub(super) fn check<'a>(&'a self, mode: Mode<'a>) -> Check<'a> {
        Check {
            mode,
            charges: self.0.iter().map(|one| one.charge.charge()).collect(),
        }
    }

    pub(super) fn decision(&self, outcome: &Outcome, check: &Check<'_>) -> Decision {
        let indices = self.0.iter().map(|one| one.index);
        outcome.decision(indices.zip(&check.charges))
    }
}

impl Counted {
    /// Returns what a charge counts as that was just made.
    pub(super) fn of(receipt: Receipt) -> Self {
        Self {
            receipt,
            cost: receipt.taken,
        }
    }
}

impl ChargedItem {
    pub(super) fn has_receipt(&self) -> bool {
        self.store.is_some() || self.local.is_some()
    }

    /// Returns the cost that counts now, for certain.
    fn counted(&self) -> u32 {
        self.store.or(self.local).map_or(0, |counted| counted.cost)
    }

    fn can_change(&self) -> bool {
        self.has_receipt() || self.free.is_some()
    }

    /// Returns the index of the charge in the decision's check.
    pub(super) fn index(&self) -> u32 {
        self.index
    }
}
