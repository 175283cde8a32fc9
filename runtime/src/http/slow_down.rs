//! The slow-down: delays an admitted request before its handler runs. Evaluation calls it, after
//! the decision.

use std::time::Duration;

use actix_throttle_core::{
    check::{Charge, Check, Mode},
    decision::{Decision, LimitStatus},
    time::{Micros, to_micros},
};

use super::{
    evaluation::{Evaluation, QUEUE_FULL_WAIT, charges, max_wait_of},
    resolve::ResolvedRule,
};
use crate::engine::{
    Engine, Granted, Observed, OwnedCharge, TooManyDelayed, WaitOutcome, error::RateLimitError,
    wait_for,
};

/// Delays an admitted request for as long as its rules say: the longest delay of them.
///
/// A request is denied if too many are delayed already, and also if it finds no permit afterwards:
/// a delayed request holds no permit, which running requests could use. Its charges are refunded.
/// The observers are told of what becomes of the request, and of nothing before.
///
/// # Cancel safety
///
/// If the future is dropped midway, the charges stay: the request was admitted, and only its delay
/// was cut short. The observers are told so.
pub(super) async fn slow_down<'a>(
    engine: &Engine,
    resolved_rules: &[ResolvedRule<'a, '_>],
    mut evaluation: Evaluation<'a>,
) -> Result<Evaluation<'a>, RateLimitError> {
    let (charges, charged) = charges(resolved_rules);
    let check = Check {
        mode: Mode::Charge,
        charges,
    };
    let mut untold = UntoldDecision::of(engine, &check, &evaluation);
    let Some((index, delay)) = longest_delay(&evaluation.decision, &charged) else {
        return Ok(evaluation);
    };
    let Some(charge) = check.charges.get(index) else {
        return Ok(evaluation);
    };
    let held = match evaluation.hold.take() {
        Some(hold) => {
            hold.release_once().await;
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
            let wait = wait.unwrap_or(whole);
            evaluation.decision.deny(index, wait);
            untold.update(&evaluation.decision);
            let evaluation = denied(evaluation, &charged).await;
            untold.update(&evaluation.decision);
            return Ok(evaluation);
        }
    }
    untold.update(&evaluation.decision);
    if !held {
        return Ok(evaluation);
    }
    reacquire(engine, &check.charges, &charged, evaluation, untold).await
}

/// A decision of which the observers are not told yet. Dropped, it tells of it: if the request is
/// canceled while it is delayed, its admission was the last word.
struct UntoldDecision<'a, 'c> {
    engine: &'a Engine,
    check: &'a Check<'c>,
    /// `None` if there is nothing to tell, or no observer to hear of it.
    decision: Option<Decision>,
}

impl<'a, 'c> UntoldDecision<'a, 'c> {
    fn of(engine: &'a Engine, check: &'a Check<'c>, evaluation: &Evaluation<'_>) -> Self {
        let is_due = !evaluation.is_told && engine.observers().is_heard();
        Self {
            engine,
            check,
            decision: is_due.then(|| evaluation.decision.clone()),
        }
    }

    fn update(&mut self, decision: &Decision) {
        if let Some(before) = &mut self.decision {
            before.clone_from(decision);
        }
    }

    /// Tells nothing, because the observers have heard from elsewhere what became of the request.
    fn forget(mut self) {
        self.decision = None;
    }
}

impl Drop for UntoldDecision<'_, '_> {
    fn drop(&mut self) {
        if let Some(decision) = self.decision.take() {
            self.engine.tell_decided(self.check, Ok(&decision));
        }
    }
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

/// Refunds the charges of a request that was admitted and is denied now.
async fn denied<'a>(
    mut evaluation: Evaluation<'a>,
    charged: &[&ResolvedRule<'a, '_>],
) -> Evaluation<'a> {
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
    mut untold: UntoldDecision<'_, '_>,
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
    let wanted = std::slice::from_ref(&wanted);
    // A denied wait tells of its own failure.
    let (by, wait) = match wait_for(engine, wanted, 0, most, Observed::Refusals).await {
        Ok(WaitOutcome::Granted(Granted { decision, hold, .. })) => {
            evaluation.decision.merge(&decision, &indices);
            evaluation.hold = hold.map(Box::new);
            untold.update(&evaluation.decision);
            return Ok(evaluation);
        }
        Ok(WaitOutcome::TimedOut {
            by,
            retry_after,
            decision,
        }) => {
            untold.forget();
            if let Some(decision) = &decision {
                evaluation.decision.merge(decision, &indices);
            }
            (by, retry_after.unwrap_or(QUEUE_FULL_WAIT))
        }
        Err(error) => {
            untold.forget();
            if let Some(plan) = evaluation.refunds.take() {
                plan.refund_all().await;
            }
            return Err(error);
        }
    };
    let index = indices.get(by).copied().unwrap_or_default();
    evaluation.decision.deny(index, wait);
    Ok(denied(evaluation, charged).await)
}
