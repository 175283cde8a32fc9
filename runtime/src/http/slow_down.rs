//! The slow-down: delays an admitted request before its handler runs. Evaluation calls it, after
//! the decision.

use std::time::Duration;

use actix_throttle_core::{
    check::Charge,
    decision::{Decision, LimitStatus},
    time::{Micros, to_micros},
};

use super::{
    evaluation::{Evaluation, QUEUE_FULL_WAIT, charges, max_wait_of},
    resolve::ResolvedRule,
};
use crate::engine::{
    Engine, Granted, OwnedCharge, TooManyDelayed, WaitOutcome, error::RateLimitError, wait_for,
};

/// Delays an admitted request for as long as its rules say: the longest delay of them.
///
/// A request is denied if too many are delayed already, and also if it finds no permit afterwards:
/// a delayed request holds no permit, which running requests could use. Its charges are refunded.
///
/// # Cancel safety
///
/// If the future is dropped midway, the charges stay: the request was admitted, and only its delay
/// was cut short.
pub(super) async fn slow_down<'a>(
    engine: &Engine,
    resolved_rules: &[ResolvedRule<'a, '_>],
    mut evaluation: Evaluation<'a>,
) -> Result<Evaluation<'a>, RateLimitError> {
    let (charges, charged) = charges(resolved_rules);
    let Some((index, delay)) = longest_delay(&evaluation.decision, &charged) else {
        return Ok(evaluation);
    };
    let Some(charge) = charges.get(index) else {
        return Ok(evaluation);
    };
    let held = match evaluation.hold.take() {
        Some(hold) => {
            hold.release().await;
            true
        }
        None => false,
    };
    match engine.delay(&charge.key, delay).await {
        Ok(delayed) => evaluation.decision.elapse(delayed),
        Err(TooManyDelayed { wait }) => {
            // The request is admitted again once the whole quota is back, if none may be delayed.
            let decision = &evaluation.decision;
            let status = decision.limits().iter().find(|one| one.index() == index);
            let whole = status.map_or(0, |status| to_micros(status.reset_after()));
            return Ok(denied(evaluation, &charged, index, wait.unwrap_or(whole)).await);
        }
    }
    if !held {
        return Ok(evaluation);
    }
    reacquire(engine, &charges, &charged, evaluation).await
}

/// Returns the longest delay that an enforced limit asks for, with the index of its charge.
fn longest_delay(
    decision: &Decision,
    charged: &[&ResolvedRule<'_, '_>],
) -> Option<(usize, Micros)> {
    let delays = decision.enforced().filter_map(|status| {
        let rule = charged.get(status.index())?;
        Some((status.index(), delay(status, rule)?))
    });
    let longest = delays.max_by_key(|(_, delay)| *delay);
    longest.filter(|(_, delay)| *delay > 0)
}

fn delay(status: &LimitStatus, rule: &ResolvedRule<'_, '_>) -> Option<Micros> {
    // A cost of 0 is not counted, so it is no further use.
    let slow_down = rule.slow_down.filter(|_| rule.cost > 0)?;
    let used = status.limit()?.quota().saturating_sub(status.remaining());
    Some(slow_down.delay(used))
}

/// Denies a request that was admitted, by the limit at `index`, and refunds its charges.
async fn denied<'a>(
    mut evaluation: Evaluation<'a>,
    charged: &[&ResolvedRule<'a, '_>],
    index: usize,
    wait: Micros,
) -> Evaluation<'a> {
    evaluation.decision.deny(index, wait);
    if let Some(plan) = evaluation.refunds.take()
        && let Some(after) = plan.refund_all().await
    {
        evaluation.decision.refresh(&after, Duration::ZERO);
    }
    Evaluation::new(evaluation.decision, charged)
}

/// Acquires the permits that were released for the time of the delay.
async fn reacquire<'a>(
    engine: &Engine,
    charges: &[Charge<'_>],
    charged: &[&ResolvedRule<'a, '_>],
    mut evaluation: Evaluation<'a>,
) -> Result<Evaluation<'a>, RateLimitError> {
    let permits = charges.iter().enumerate();
    let (indices, wanted): (Vec<usize>, Vec<OwnedCharge>) = permits
        .filter(|(_, charge)| charge.limit.rate().is_none())
        .map(|(index, charge)| {
            let max_wait = max_wait_of(charged[index]);
            let permit = OwnedCharge::of(charge).with_new_permit_id();
            (index, permit.with_max_wait(max_wait))
        })
        .unzip();
    let most = Some(engine.settings().max_waiting);
    let outcome = wait_for(engine, std::slice::from_ref(&wanted), 0, most).await;
    let (by, wait) = match outcome {
        Ok(WaitOutcome::Granted(Granted { decision, hold, .. })) => {
            evaluation.decision.merge(&decision, &indices);
            evaluation.hold = hold.map(Box::new);
            return Ok(evaluation);
        }
        Ok(WaitOutcome::TimedOut {
            by,
            retry_after,
            decision,
        }) => {
            if let Some(decision) = &decision {
                evaluation.decision.merge(decision, &indices);
            }
            (by, retry_after.unwrap_or(QUEUE_FULL_WAIT))
        }
        Err(error) => {
            if let Some(plan) = evaluation.refunds.take() {
                plan.refund_all().await;
            }
            return Err(error);
        }
    };
    let index = indices.get(by).copied().unwrap_or_default();
    Ok(denied(evaluation, charged, index, wait).await)
}
