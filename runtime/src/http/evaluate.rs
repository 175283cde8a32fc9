//! Evaluation: decides the rules that apply to a request, in one atomic check.
//!
//! The guard calls it. It charges the rules, waits in the wait queue where `max_wait` allows that,
//! and returns the decision with the permits and refunds that come with it. It never builds a
//! response.

use actix_throttle_core::check::{Check, Mode};

use super::{
    evaluation::{Evaluation, Finality, QUEUE_FULL_WAIT, charges, max_wait_of, refunds},
    matching::{MatchedRule, RuleMatcher},
    resolve::{ResolvedRule, call_async_functions, resolve},
    slow_down::slow_down,
};
use crate::engine::{
    Engine, Granted, Miss, Observed, OwnedCharge, WaitOutcome, coop_yield, error::RateLimitError,
    validate, wait_for,
};

/// Decides these rules. `None` if they charge nothing.
///
/// # Cancel safety
///
/// If the future is dropped while the store decides, a charge that was sent may stay. If the
/// request could wait or hold a permit, its charges are refunded and its permits are released.
pub(super) async fn evaluate<'a>(
    matcher: &RuleMatcher<'_>,
    matched: &[MatchedRule<'a>],
) -> Result<Option<Evaluation<'a>>, RateLimitError> {
    let engine = matcher.context.limiter.engine();
    // The future is boxed to keep this one small, because few rules have async functions.
    let resolved = if matched.iter().any(|one| one.rule.has_async()) {
        Box::pin(call_async_functions(matcher, matched)).await
    } else {
        Vec::new()
    };
    let resolved_rules = resolve(matcher, matched, &resolved)?;
    if resolved_rules.is_empty() {
        return Ok(None);
    }
    coop_yield().await;
    let finality = if resolved_rules.iter().any(|one| one.slow_down.is_some()) {
        Finality::MayBeDelayed
    } else {
        Finality::Final
    };
    if finality == Finality::Final && resolved_rules.iter().all(ResolvedRule::is_plain) {
        let evaluation = match try_evaluate(engine, &resolved_rules, finality) {
            Ok(evaluation) => evaluation,
            // The futures here and below are boxed to keep this one small, because most requests
            // are decided without waiting.
            Err(miss) => Box::pin(evaluate_remotely(engine, &resolved_rules, miss, finality)).await,
        };
        return evaluation.map(Some);
    }
    Box::pin(evaluate_holding(engine, &resolved_rules, finality))
        .await
        .map(Some)
}

/// Decides rules that may hold the request: in the wait queue, or by a delay.
async fn evaluate_holding<'a>(
    engine: &Engine,
    resolved_rules: &[ResolvedRule<'a, '_>],
    finality: Finality,
) -> Result<Evaluation<'a>, RateLimitError> {
    let began = engine.clock().now();
    let mut evaluation = if resolved_rules.iter().all(ResolvedRule::is_plain) {
        match try_evaluate(engine, resolved_rules, finality) {
            Ok(evaluation) => evaluation?,
            Err(miss) => evaluate_remotely(engine, resolved_rules, miss, finality).await?,
        }
    } else {
        evaluate_waiting(engine, resolved_rules, finality).await?
    };
    if finality == Finality::MayBeDelayed && evaluation.decision.is_allowed() {
        evaluation = slow_down(engine, resolved_rules, evaluation).await?;
    }
    evaluation.held = engine.clock().now().saturating_sub(began);
    Ok(evaluation)
}

/// Decides rules that neither wait nor hold permits, without I/O.
///
/// # Errors
///
/// A [`Miss`] if the store needs I/O for it, which [`evaluate_remotely`] does.
fn try_evaluate<'a>(
    engine: &Engine,
    resolved_rules: &[ResolvedRule<'a, '_>],
    finality: Finality,
) -> Result<Result<Evaluation<'a>, RateLimitError>, Miss> {
    let (charges, charged) = charges(resolved_rules);
    let mode = mode_of(&charged);
    let check = Check { mode, charges };
    if let Err(error) = validate(&check.charges) {
        return Ok(Err(error));
    }
    let outcome = engine.try_decide(&check)?;
    Ok(Evaluation::of(
        engine,
        &check,
        &charged,
        Ok(outcome),
        finality,
    ))
}

async fn evaluate_remotely<'a>(
    engine: &Engine,
    resolved_rules: &[ResolvedRule<'a, '_>],
    miss: Miss,
    finality: Finality,
) -> Result<Evaluation<'a>, RateLimitError> {
    let (charges, charged) = charges(resolved_rules);
    let mode = mode_of(&charged);
    let check = Check { mode, charges };
    let decided = engine.decide(&check, miss).await;
    Evaluation::of(engine, &check, &charged, decided, finality)
}

fn mode_of(charged: &[&ResolvedRule<'_, '_>]) -> Mode<'static> {
    if charged.iter().any(|one| one.needs_receipts()) {
        Mode::ChargeForReceipts
    } else {
        Mode::Charge
    }
}

/// Decides rules that may wait in the wait queue, or hold permits until the end of the response.
async fn evaluate_waiting<'a>(
    engine: &Engine,
    resolved_rules: &[ResolvedRule<'a, '_>],
    finality: Finality,
) -> Result<Evaluation<'a>, RateLimitError> {
    let (charges, charged) = charges(resolved_rules);
    let charged = charged.as_slice();
    let wanted = charges.iter().zip(charged).map(|(charge, resolved_rule)| {
        OwnedCharge::of(charge).with_max_wait(max_wait_of(resolved_rule))
    });
    let alternative: Vec<OwnedCharge> = wanted.collect();
    let most = Some(engine.settings().max_waiting);
    let observed = match finality {
        Finality::Final => Observed::All,
        Finality::MayBeDelayed => Observed::Failures,
    };
    match wait_for(
        engine,
        std::slice::from_ref(&alternative),
        0,
        most,
        observed,
    )
    .await?
    {
        WaitOutcome::Granted(Granted {
            decision,
            hold,
            refund,
            is_told,
        }) => {
            let mut evaluation = Evaluation::new(decision, charged);
            evaluation.is_told = is_told;
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
