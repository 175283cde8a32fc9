//! What decisions have charged, as refunds and settlements find it again: [`Charged`]. Rules,
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
    /// The receipt of the store.
    pub(super) store: Option<Receipt>,
    /// The receipt of the in-memory store of the local fallback, which has decided the charge or
    /// mirrored it.
    pub(super) local: Option<Receipt>,
    /// The cost that counts since a settlement; `None` before one.
    pub(super) settled: Option<u32>,
    /// The cost that counted before the latest settlement.
    pub(super) before: u32,
    /// The store that has admitted a cost of 0, which has no receipt.
    pub(super) free: Option<DecidedBy>,
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
            store: receipt(&receipts.store, at),
            local: receipt(&receipts.local, at),
            settled: None,
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

    /// Records that the charges count as `to` from now on.
    pub(super) fn count_as(&mut self, to: u32) {
        for one in &mut self.0 {
            one.before = one.counted();
            one.settled = Some(to);
        }
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

    /// Whether each charge took anything at all.
    #[cfg(feature = "test-util")]
    pub(super) fn was_charged(&self) -> Vec<bool> {
        self.0.iter().map(ChargedItem::has_receipt).collect()
    }

    /// Returns the settlements at `to` of the charges, each by its receipt that `of` selects.
    pub(super) fn settlements(
        &self,
        to: u32,
        of: impl Fn(&ChargedItem) -> Option<Receipt>,
    ) -> Vec<Option<Settlement>> {
        let settlement = |one: &ChargedItem| {
            of(one).map(|receipt| Settlement {
                receipt,
                from: one.settled.unwrap_or(receipt.taken),
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

impl ChargedItem {
    pub(super) fn has_receipt(&self) -> bool {
        self.store.is_some() || self.local.is_some()
    }

    /// Returns the cost that counts now.
    fn counted(&self) -> u32 {
        let receipt = self.store.or(self.local);
        self.settled
            .unwrap_or_else(|| receipt.map_or(0, |receipt| receipt.taken))
    }

    fn can_change(&self) -> bool {
        self.has_receipt() || self.free.is_some()
    }

    /// Returns the index of the charge in the decision's check.
    pub(super) fn index(&self) -> u32 {
        self.index
    }
}
