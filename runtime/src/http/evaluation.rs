//! The outcome of an evaluation, and the charges that lead to it. `evaluate` and the slow-down
//! build on it; it asks no store.

use actix_throttle_core::{
    check::{Charge, Charges, Check, Mode, Outcome},
    decision::Decision,
    time::{Micros, to_micros},
};
use smallvec::SmallVec;

use super::{
    double_charge::ChargedCounter, in_flight::RefundPlan, resolve::ResolvedRule, rule::Rule,
};
use crate::{
    engine::{
        Charged, Engine, MaxWait, PendingCharges, PermitHold, StoreError, Tell,
        error::RateLimitError, log_lines::SHARED_COUNTERS,
    },
    response::OnLimited,
};

/// The wait in microseconds that a denial names if the wait queue is full and no better estimate is
/// known.
pub(super) const QUEUE_FULL_WAIT: Micros = 1_000_000;

/// The outcome of one request's check.
pub(super) struct Evaluation<'a> {
    pub(super) decision: Decision,
    /// The `on_limited` of the rule that denied the request, if that rule has one.
    pub(super) custom_response: Option<&'a OnLimited>,
    pub(super) refunds: Option<Box<RefundPlan>>,
    /// The concurrency permits that the request holds.
    pub(super) hold: Option<Box<PermitHold>>,
    /// The counters that were charged. The list is empty after a denial, and on the fast path.
    pub(super) counters: SmallVec<[ChargedCounter; 1]>,
    /// Whether the observers have been told of the decision.
    pub(super) is_told: bool,
    /// How long the request was held, in microseconds, before it was decided or afterwards.
    pub(super) held: Micros,
}

/// Whether a decision is the last word on its request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Finality {
    /// It is, and the observers are told.
    Final,
    /// An admitted request may be delayed, and denied then. The observers are told afterwards.
    MayBeDelayed,
}

/// Builds the charges of these rules. The second list has the rule of each charge, by its index.
pub(super) fn charges<'c, 'a, 'i>(
    resolved_rules: &'c [ResolvedRule<'a, 'i>],
) -> (Charges<'c>, SmallVec<[&'c ResolvedRule<'a, 'i>; 1]>) {
    let (mut charges, mut charged) = (Charges::new(), SmallVec::new());
    for one in resolved_rules {
        push_charge(&mut charges, &mut charged, one.charge(), one);
    }
    (charges, charged)
}

impl<'a> Evaluation<'a> {
    /// The outcome of a check that the store has decided.
    pub(super) fn of(
        engine: &Engine,
        check: &Check<'_>,
        charged: &[&ResolvedRule<'a, '_>],
        decided: Result<Outcome, StoreError>,
        finality: Finality,
    ) -> Result<Self, RateLimitError> {
        let tell = match finality {
            Finality::Final => Tell::All,
            Finality::MayBeDelayed => Tell::Refusals,
        };
        let (decision, receipts) = engine.to_decision(check, decided, tell)?;
        let mut evaluation = Self::new(decision, charged);
        evaluation.is_told = finality == Finality::Final || !evaluation.decision.is_allowed();
        if check.mode == Mode::ChargeForReceipts && evaluation.decision.is_allowed() {
            evaluation.refunds = refunds(engine, Charged::of(check, &receipts), charged);
        }
        Ok(evaluation)
    }

    /// The outcome of a single rule that holds no permit and has nothing to refund.
    pub(super) fn of_single_rule(decision: Decision, rule: &'a Rule) -> Self {
        let custom_response = if decision.is_allowed() {
            None
        } else {
            rule.custom_response()
        };
        Self {
            custom_response,
            decision,
            refunds: None,
            hold: None,
            counters: SmallVec::new(),
            is_told: true,
            held: 0,
        }
    }

    pub(super) fn new(decision: Decision, charged: &[&ResolvedRule<'a, '_>]) -> Self {
        let denied_by = if decision.is_allowed() {
            None
        } else {
            decision.strictest()
        };
        let denying = denied_by.and_then(|status| charged.get(status.index()));
        let mut counters = SmallVec::new();
        if decision.is_allowed() {
            let charges = charged.iter().map(|resolved_rule| resolved_rule.charge());
            counters.extend(charges.map(|charge| ChargedCounter::of(&charge)));
        }
        Self {
            custom_response: denying.and_then(|resolved_rule| resolved_rule.rule.custom_response()),
            decision,
            refunds: None,
            hold: None,
            counters,
            is_told: true,
            held: 0,
        }
    }
}

/// The plan of a refund, by the statuses of each charge.
pub(super) fn refunds(
    engine: &Engine,
    taken: Charged,
    charged: &[&ResolvedRule<'_, '_>],
) -> Option<Box<RefundPlan>> {
    let (estimates, others) =
        taken.split(|index| charged.get(index).is_some_and(|one| one.settles));
    let pending = (!estimates.is_empty()).then(|| PendingCharges::new(engine.clone(), estimates));
    let statuses = charged.iter().map(|one| one.refund_on.as_deref().cloned());
    Some(Box::new(RefundPlan::new(
        engine.clone(),
        others,
        pending,
        statuses.collect(),
    )))
}

/// Returns how long the rule lets a request wait for room.
pub(super) fn max_wait_of(rule: &ResolvedRule<'_, '_>) -> MaxWait {
    let wait = rule.max_wait.map(to_micros);
    wait.map_or(MaxWait::None, MaxWait::AtMost)
}

/// Adds a charge, or keeps the stricter of two charges on one counter.
///
/// Two rules share a counter only if identifiers of the application return the same identity in one
/// zone. The counter is charged once, by the limit that fits fewer such requests.
fn push_charge<'a, T>(
    charges: &mut Charges<'a>,
    charged: &mut SmallVec<[&'a T; 1]>,
    charge: Charge<'a>,
    resolved_rule: &'a T,
) {
    let Some(same) = charges
        .iter()
        .position(|other| other.key.is_same(&charge.key))
    else {
        charges.push(charge);
        charged.push(resolved_rule);
        return;
    };
    SHARED_COUNTERS.log(format_args!(
        "the limits \"{}\" and \"{}\" count the same identity in one counter; only the one \
         that fits fewer such requests applies. Give one of them a `zone` of its own to count them apart",
        charges[same].limit.name(),
        charge.limit.name()
    ));
    // The comparison of how many such requests fit, a / b < c / d, needs no division.
    let (one, other) = (&charge, &charges[same]);
    let fit =
        |limit: &Charge<'_>, of: &Charge<'_>| u64::from(limit.limit.quota()) * u64::from(of.cost);
    if (fit(one, other), one.limit.times()) < (fit(other, one), other.limit.times()) {
        charges[same] = charge;
        charged[same] = resolved_rule;
    }
}
