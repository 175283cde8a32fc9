//! Evaluation: decides the rules that apply to a request, in one atomic check.
//!
//! The guard calls it. It charges the rules, waits in the wait queue where `max_wait` allows that,
//! and returns the decision with the permits and refunds that come with it. It never builds a
//! response.

use actix_throttle_core::{
    check::{Charge, Charges, Check, Mode, Outcome},
    decision::Decision,
    time::{Micros, to_micros},
};
use smallvec::SmallVec;

use super::{
    double_charge::ChargedCounter,
    in_flight::RefundPlan,
    matching::{MatchedRule, RuleMatcher},
    resolve::{ResolvedRule, call_async_functions, resolve},
    rule::Rule,
};
use crate::{
    engine::{
        Charged, Engine, Granted, MaxWait, Miss, OwnedCharge, PendingCharges, PermitHold,
        StoreError, WaitOutcome, coop_yield, error::RateLimitError, log_lines::SHARED_COUNTERS,
        validate, wait_for,
    },
    response::OnLimited,
};

/// The wait in microseconds that a denial names if the wait queue is full and no better estimate is
/// known.
const QUEUE_FULL_WAIT: Micros = 1_000_000;

/// The outcome of one request's check.
pub(super) struct Evaluation<'a> {
    pub(super) decision: Decision,
    /// The `on_limited` of the rule that denied the request, if that rule has one.
    pub(super) custom_response: Option<&'a OnLimited>,
    pub(super) refunds: Option<Box<RefundPlan>>,
    /// The concurrency permits that the request holds.
    pub(super) hold: Option<Box<PermitHold>>,
    /// The counters that were charged. Empty after a denial, and on the fast path.
    pub(super) counters: SmallVec<[ChargedCounter; 1]>,
}

/// Decides these rules. `None` if they charge nothing.
///
/// # Cancel safety
///
/// Dropped while the store decides, a charge that was sent may stay. If the request could wait or
/// hold a permit, its charges are refunded and its permits are released.
pub(super) async fn evaluate<'a>(
    matcher: &RuleMatcher<'_>,
    matched: &[MatchedRule<'a>],
) -> Result<Option<Evaluation<'a>>, RateLimitError> {
    let engine = matcher.context.limiter.engine();
    // Boxed to keep the future small: few rules have async functions.
    let resolved = match matched.iter().any(|one| one.rule.has_async()) {
        true => Box::pin(call_async_functions(matcher, matched)).await,
        false => Vec::new(),
    };
    let resolved_rules = resolve(matcher, matched, &resolved)?;
    if resolved_rules.is_empty() {
        return Ok(None);
    }
    coop_yield().await;
    // Boxed here and below to keep the future small: most requests are decided without waiting.
    if !resolved_rules.iter().all(ResolvedRule::is_plain) {
        let evaluation = Box::pin(evaluate_waiting(engine, &resolved_rules)).await;
        return evaluation.map(Some);
    }
    let evaluation = match try_evaluate(engine, &resolved_rules) {
        Ok(evaluation) => evaluation,
        Err(miss) => Box::pin(evaluate_remotely(engine, &resolved_rules, miss)).await,
    };
    evaluation.map(Some)
}

/// Builds the charges of these rules. The second list has the rule of each charge, by its index.
fn charges<'c, 'a, 'i>(
    resolved_rules: &'c [ResolvedRule<'a, 'i>],
) -> (Charges<'c>, SmallVec<[&'c ResolvedRule<'a, 'i>; 1]>) {
    let (mut charges, mut charged) = (Charges::new(), SmallVec::new());
    for one in resolved_rules {
        push_charge(&mut charges, &mut charged, one.charge(), one);
    }
    (charges, charged)
}

/// Decides rules that neither wait nor hold permits, without I/O.
///
/// # Errors
///
/// A [`Miss`] if the store needs I/O for it, which [`evaluate_remotely`] does.
fn try_evaluate<'a>(
    engine: &Engine,
    resolved_rules: &[ResolvedRule<'a, '_>],
) -> Result<Result<Evaluation<'a>, RateLimitError>, Miss> {
    let (charges, charged) = charges(resolved_rules);
    let mode = mode_of(&charged);
    let check = Check { mode, charges };
    if let Err(error) = validate(&check.charges) {
        return Ok(Err(error));
    }
    let outcome = engine.try_decide(&check)?;
    Ok(Evaluation::of(engine, &check, &charged, Ok(outcome)))
}

async fn evaluate_remotely<'a>(
    engine: &Engine,
    resolved_rules: &[ResolvedRule<'a, '_>],
    miss: Miss,
) -> Result<Evaluation<'a>, RateLimitError> {
    let (charges, charged) = charges(resolved_rules);
    let mode = mode_of(&charged);
    let check = Check { mode, charges };
    let decided = engine.decide(&check, miss).await;
    Evaluation::of(engine, &check, &charged, decided)
}

fn mode_of(charged: &[&ResolvedRule<'_, '_>]) -> Mode<'static> {
    match charged.iter().any(|one| one.needs_receipts()) {
        true => Mode::ChargeForReceipts,
        false => Mode::Charge,
    }
}

impl<'a> Evaluation<'a> {
    fn of(
        engine: &Engine,
        check: &Check<'_>,
        charged: &[&ResolvedRule<'a, '_>],
        decided: Result<Outcome, StoreError>,
    ) -> Result<Self, RateLimitError> {
        let (decision, receipts) = engine.conclude(check, decided)?;
        let mut evaluation = Self::new(decision, charged);
        if check.mode == Mode::ChargeForReceipts && evaluation.decision.is_allowed() {
            evaluation.refunds = refunds(engine, Charged::of(check, &receipts), charged);
        }
        Ok(evaluation)
    }

    /// The outcome of a single rule that holds no permit and has nothing to refund.
    pub(super) fn of_single_rule(decision: Decision, rule: &'a Rule) -> Self {
        let custom_response = match decision.is_allowed() {
            true => None,
            false => rule.custom_response(),
        };
        Self {
            custom_response,
            decision,
            refunds: None,
            hold: None,
            counters: SmallVec::new(),
        }
    }

    fn new(decision: Decision, charged: &[&ResolvedRule<'a, '_>]) -> Self {
        let denied_by = match decision.is_allowed() {
            true => None,
            false => decision.strictest(),
        };
        let resolved_rules = denied_by.and_then(|status| charged.get(status.index()));
        let mut counters = SmallVec::new();
        if decision.is_allowed() {
            let charges = charged.iter().map(|resolved_rules| resolved_rules.charge());
            counters.extend(charges.map(|charge| ChargedCounter::of(&charge)));
        }
        Self {
            custom_response: resolved_rules
                .and_then(|resolved_rules| resolved_rules.rule.custom_response()),
            decision,
            refunds: None,
            hold: None,
            counters,
        }
    }
}

fn refunds(
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

/// Decides rules that may wait in the wait queue, or hold permits until the end of the response.
async fn evaluate_waiting<'a>(
    engine: &Engine,
    resolved_rules: &[ResolvedRule<'a, '_>],
) -> Result<Evaluation<'a>, RateLimitError> {
    let (charges, charged) = charges(resolved_rules);
    let charged = charged.as_slice();
    let wanted = charges.iter().zip(charged).map(|(charge, resolved_rules)| {
        let wait = resolved_rules.max_wait.map(to_micros);
        OwnedCharge::of(charge).with_max_wait(wait.map_or(MaxWait::None, MaxWait::AtMost))
    });
    let alternative: Vec<OwnedCharge> = wanted.collect();
    let most = Some(engine.settings().max_waiting.0);
    match wait_for(engine, std::slice::from_ref(&alternative), 0, most).await? {
        WaitOutcome::Granted(Granted {
            decision,
            hold,
            refund,
        }) => {
            let mut evaluation = Evaluation::new(decision, charged);
            if charged.iter().any(|one| one.needs_receipts()) {
                evaluation.refunds = refund.and_then(|refund| refunds(engine, refund, charged));
            }
            evaluation.hold = hold.map(Box::new);
            Ok(evaluation)
        }
        WaitOutcome::TimedOut {
            decision: Some(decision),
            ..
        } => Ok(Evaluation::new(decision, charged)),
        // The wait queue is full, or the wait would be too long: the store was not asked, so the
        // denial needs a look at the limits without a charge.
        WaitOutcome::TimedOut {
            by,
            retry_after,
            decision: None,
        } => {
            let mut decision = engine.peek_charges(&alternative).await?;
            decision.deny(by, retry_after.unwrap_or(QUEUE_FULL_WAIT));
            Ok(Evaluation::new(decision, charged))
        }
    }
}

/// Adds a charge, or keeps the stricter of two charges on one counter.
///
/// Two rules share a counter only if identifiers of the application return the same identity in one
/// zone. The counter is charged once, by the limit that fits fewer such requests.
fn push_charge<'a, T>(
    charges: &mut Charges<'a>,
    charged: &mut SmallVec<[&'a T; 1]>,
    charge: Charge<'a>,
    resolved_rules: &'a T,
) {
    let Some(same) = charges
        .iter()
        .position(|other| other.key.is_same(&charge.key))
    else {
        charges.push(charge);
        charged.push(resolved_rules);
        return;
    };
    SHARED_COUNTERS.log(format_args!(
        "the limits \"{}\" and \"{}\" count the same identity in one counter; only the one \
         that fits fewer such requests applies. Give one of them a `zone` of its own to count them apart",
        charges[same].limit.name(),
        charge.limit.name()
    ));
    // Compares how many such requests fit, a / b < c / d, without a division.
    let (one, other) = (&charge, &charges[same]);
    let fit =
        |limit: &Charge<'_>, of: &Charge<'_>| u64::from(limit.limit.quota()) * u64::from(of.cost);
    if (fit(one, other), one.limit.times()) < (fit(other, one), other.limit.times()) {
        charges[same] = charge;
        charged[same] = resolved_rules;
    }
}
