//! Decides checks in a cluster, where a script call must only name keys of one slot.
//!
//! All limits of one identity are in one slot. A check of several identities is split by slot:
//! first all parts are peeked at, and if none denies, all are charged. If a part denies then,
//! because another request came in between, the other parts are refunded (a [saga]). Without the
//! peek, requests that are denied in one slot would again and again charge for a moment what other
//! requests need in another slot.
//!
//! While a slot is being migrated to another node, a call of several of its keys is refused. Its
//! charges are then decided as parts of their own, each by calls of one key: see `single_key.rs`.
//!
//! [saga]: https://doi.org/10.1145/38713.38742

use actix_throttle_core::{
    algorithm::Settlement,
    check::{Charge, Charges, Check, Mode, Outcome, Outcomes, Receipts},
    decision::{DecisionSource, Verdict},
};
use futures_util::future::join_all;
use redis::cluster_routing::Slot;
use smallvec::SmallVec;
use tokio::time::Instant;

use crate::engine::store::interface::StoreError;
use crate::engine::store::redis::{
    batch::BatchKey,
    cluster::{part::SlotPart, rollback::Rollback},
    executor::Executor,
    script::MAX_TTL,
    store::RedisStore,
};

/// The time for which a call is remembered beyond its own deadline, in milliseconds: a call that
/// was sent again may wait in front of a Redis that stalls.
const REMEMBERED: u32 = 2_000;

impl Executor {
    /// Returns how long to remember that a call was carried out, in milliseconds; `None` outside a
    /// cluster.
    pub(crate) fn remember_for(&self) -> Option<u32> {
        let deadline = u32::try_from(self.upkeep().deadline.as_millis()).unwrap_or(u32::MAX);
        let is_cluster = self.upkeep().pool.is_cluster();
        is_cluster.then(|| deadline.saturating_add(REMEMBERED).min(MAX_TTL))
    }
}

impl RedisStore {
    /// Decides the checks one after the other.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped midway, it may have charged checks, or parts of one; a denial may
    /// not have started its block.
    pub(crate) async fn decide_by_slot(
        &self,
        checks: &[Check<'_>],
    ) -> Result<Outcomes, StoreError> {
        let deadline = self.executor.deadline();
        let mut outcomes = Outcomes::new();
        for check in checks {
            outcomes.push(self.decide_across(check, deadline).await?);
        }
        Ok(outcomes)
    }

    async fn decide_across(
        &self,
        check: &Check<'_>,
        deadline: Instant,
    ) -> Result<Outcome, StoreError> {
        let Check { mode, charges } = check;
        let parts = self.parts(charges);
        if let [part] = parts.as_slice() {
            return self.ask(*mode, part, deadline).await;
        }
        self.decide_parts(*mode, &parts, deadline).await
    }

    async fn decide_parts(
        &self,
        mode: Mode<'_>,
        parts: &[SlotPart<'_>],
        deadline: Instant,
    ) -> Result<Outcome, StoreError> {
        match mode {
            // A lease is of one charge, and so of one part.
            Mode::Peek | Mode::Renew | Mode::Lease | Mode::Force => {
                Ok(merge(parts, self.ask_all(mode, parts, deadline).await?))
            }
            Mode::Refund(_) | Mode::Settle(_) => self.settle_across(mode, parts, deadline).await,
            Mode::Charge | Mode::ChargeForReceipts => {
                if let [part] = parts
                    && let (true, [charge]) = (part.is_alone, part.charges.as_slice())
                {
                    return self.charge_single_key(mode, charge, deadline).await;
                }
                let mut outcome = self.charge_across(parts, deadline).await?;
                if mode == Mode::Charge {
                    outcome.receipts = Receipts::new();
                } else if !outcome.allowed {
                    // Parts that were charged have been refunded.
                    outcome.receipts = vec![None; outcome.verdicts.len()];
                }
                Ok(outcome)
            }
        }
    }

    fn parts<'a>(&self, charges: &Charges<'a>) -> SmallVec<[SlotPart<'a>; 1]> {
        let mut parts: SmallVec<[SlotPart<'a>; 1]> = SmallVec::new();
        for (index, charge) in charges.iter().enumerate() {
            let slot = Slot::for_key(charge.key.text(&self.executor.upkeep().naming));
            match parts.iter_mut().find(|part| part.slot == slot) {
                Some(part) => {
                    part.indices.push(index);
                    part.charges.push(*charge);
                }
                None => parts.push(SlotPart {
                    slot,
                    indices: SmallVec::from_elem(index, 1),
                    charges: Charges::from_elem(*charge, 1),
                    is_alone: false,
                }),
            }
        }
        parts
    }

    /// Peeks at all parts, and charges them if none denies.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped midway, it may have charged parts whose replies had not arrived. A
    /// denial may not have started its block.
    async fn charge_across(
        &self,
        parts: &[SlotPart<'_>],
        deadline: Instant,
    ) -> Result<Outcome, StoreError> {
        let peeked = self.ask_all(Mode::Peek, parts, deadline).await?;
        if peeked.iter().all(|outcome| outcome.allowed) {
            let charged = self.charge_all(parts, Keep::IfAllAllow, deadline).await?;
            return Ok(merge(parts, charged));
        }
        let mut outcomes = peeked;
        // A denial changes nothing, except that it may start a block.
        for (part, outcome) in parts.iter().zip(&mut outcomes) {
            let mut charges = part.charges.iter().zip(&outcome.verdicts);
            if !outcome.allowed && charges.any(|(charge, verdict)| may_block(charge, verdict)) {
                let part = std::slice::from_ref(part);
                let denied = self.charge_all(part, Keep::Nothing, deadline).await?;
                if let Some(denied) = denied.into_iter().next() {
                    *outcome = denied;
                }
            }
        }
        let mut outcome = merge(parts, outcomes);
        // Capacity that has become free since the peek comes too late for this check.
        outcome.allowed = false;
        Ok(outcome)
    }

    /// Charges every part, and refunds what must not be kept. If a part fails, [`Rollback`] refunds
    /// in the background the charges whose replies have arrived.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped midway, [`Rollback`] does that, too. A charge whose reply had not
    /// arrived stays.
    async fn charge_all(
        &self,
        parts: &[SlotPart<'_>],
        keep: Keep,
        deadline: Instant,
    ) -> Result<Vec<Outcome>, StoreError> {
        let rollback = Rollback::new(&self.executor);
        let charge = async |(index, part): (usize, &SlotPart<'_>)| {
            let mode = Mode::ChargeForReceipts;
            let outcome = self.ask(mode, part, deadline).await?;
            if outcome.allowed {
                rollback.add(index, part, &self.context(), &outcome.receipts);
            }
            Ok(outcome)
        };
        let asked: Vec<Result<Outcome, StoreError>> =
            join_all(parts.iter().enumerate().map(charge)).await;
        let mut outcomes = asked.into_iter().collect::<Result<Vec<Outcome>, _>>()?;
        if keep == Keep::IfAllAllow && outcomes.iter().all(|outcome| outcome.allowed) {
            rollback.commit();
            return Ok(outcomes);
        }
        for (part, after) in rollback.refund(parts, deadline).await {
            if let Some(outcome) = outcomes.get_mut(part) {
                outcome.verdicts = after.verdicts;
            }
        }
        Ok(outcomes)
    }

    /// Settles every part.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped midway, some parts may be settled.
    async fn settle_across(
        &self,
        mode: Mode<'_>,
        parts: &[SlotPart<'_>],
        deadline: Instant,
    ) -> Result<Outcome, StoreError> {
        let settle = async |part: &SlotPart<'_>| {
            let of = |index: &usize| mode.settlement(*index);
            let settlements: Vec<Option<Settlement>> = part.indices.iter().map(of).collect();
            self.ask(Mode::Settle(&settlements), part, deadline).await
        };
        let asked = join_all(parts.iter().map(settle)).await;
        Ok(merge(parts, asked.into_iter().collect::<Result<_, _>>()?))
    }

    async fn ask_all(
        &self,
        mode: Mode<'_>,
        parts: &[SlotPart<'_>],
        deadline: Instant,
    ) -> Result<Vec<Outcome>, StoreError> {
        let asked = parts.iter().map(|part| self.ask(mode, part, deadline));
        join_all(asked).await.into_iter().collect()
    }

    /// Decides charges of one slot; one by one, if their keys are being migrated.
    async fn ask(
        &self,
        mode: Mode<'_>,
        part: &SlotPart<'_>,
        deadline: Instant,
    ) -> Result<Outcome, StoreError> {
        if let (true, [charge]) = (part.is_alone, part.charges.as_slice()) {
            return self.ask_single_key(mode, charge, deadline).await;
        }
        if self.executor.open_slots.contains(part.slot) {
            return Box::pin(self.decide_parts(mode, &part.each(), deadline)).await;
        }
        let checks = [Check {
            mode,
            charges: part.charges.iter().copied().collect(),
        }];
        let outcomes = match self
            .executor
            .decide(BatchKey::Slot(part.slot), &checks, deadline)
            .await
        {
            Err(error) if error.is_migrating() => {
                return Box::pin(self.decide_parts(mode, &part.each(), deadline)).await;
            }
            outcomes => outcomes?,
        };
        let outcome = outcomes.into_iter().next();
        outcome.ok_or_else(StoreError::nothing)
    }
}

/// The charges that stay once all parts have replied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keep {
    IfAllAllow,
    Nothing,
}

/// The outcome of a whole check, from those of its parts.
fn merge(parts: &[SlotPart<'_>], outcomes: Vec<Outcome>) -> Outcome {
    let allowed = outcomes.iter().all(|outcome| outcome.allowed);
    let mut verdicts: Vec<_> = Vec::new();
    for (part, outcome) in parts.iter().zip(outcomes) {
        let mut receipts = outcome.receipts.into_iter();
        for (index, verdict) in part.indices.iter().zip(outcome.verdicts) {
            verdicts.push((*index, verdict, receipts.next()));
        }
    }
    verdicts.sort_unstable_by_key(|(index, _, _)| *index);
    Outcome {
        allowed,
        verdicts: verdicts.iter().map(|(_, verdict, _)| *verdict).collect(),
        receipts: verdicts
            .into_iter()
            .filter_map(|(_, _, receipt)| receipt)
            .collect(),
        mirror_receipts: Receipts::new(),
        // The time is not known: the capacity that is missing may be charged only for a moment, by
        // a check that another part denies. The denial cache above would not see its refund. Parts
        // with capacity do not report how long they stay as they are, either.
        stable_for: 0,
        source: DecisionSource::Store,
    }
}

/// Whether a denial by this charge may start a block.
fn may_block(charge: &Charge<'_>, verdict: &Verdict) -> bool {
    charge.limit.block_micros() > 0 && !verdict.blocked
}
