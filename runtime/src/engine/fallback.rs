//! The failure mode at work: decides a check after the store failed to. It never asks Redis again.

use actix_throttle_core::{
    check::{Charge, Check, Receipts},
    decision::Decision,
    failure_mode::FailureMode,
};
use smallvec::SmallVec;

use super::{
    charged::ChargeReceipts,
    error::RateLimitError,
    log_lines::STORE_FAILURES,
    observe::{Event, Observers},
    store::{Stack, interface::StoreError},
};

/// Decides by the failure modes of the charges: an enforced charge of `Closed` returns the error
/// (fail closed), charges of `Local` are decided by this process alone (local fallback), and
/// charges of `Open` are admitted (fail open).
///
/// A full in-memory store of the limiter's own decides the charges that it has room for, of `Open`
/// too, and the rest are admitted.
pub(super) fn decide(
    store: &Stack,
    observers: &Observers,
    check: &Check<'_>,
    error: StoreError,
) -> Result<(Decision, ChargeReceipts), RateLimitError> {
    // The circuit breaker logs when it opens, so its rejections are not logged here.
    if error.is_failure() {
        STORE_FAILURES.log(format_args!("the store could not decide: {error}"));
        let reason = error.reason();
        observers.tell(|| Event::StoreFailed { reason });
    }
    let mut enforced = check.charges.iter().filter(|one| !one.limit.is_shadow());
    let closed = enforced.any(|charge| charge.failure_mode == FailureMode::Closed);
    if closed || error.is_misuse() {
        return Err(error.into());
    }
    let is_local = |charge: &Charge<'_>| store.can_decide_locally(charge);
    let mut decided: SmallVec<[bool; 2]> = check.charges.iter().map(is_local).collect();
    // The store may have room for each charge but not for all: the last ones give way.
    let outcome = loop {
        let part = Check {
            mode: check.mode,
            charges: local(check, &decided).map(|(_, charge)| *charge).collect(),
        };
        match (
            store.decide_locally(&part),
            decided.iter().rposition(|one| *one),
        ) {
            (Ok(outcome), _) => break outcome,
            (Err(_), Some(last)) => decided[last] = false,
            (Err(_), None) => {
                let admitted = Decision::new(true, std::iter::empty());
                return Ok((admitted.by_fallback(), ChargeReceipts::default()));
            }
        }
    };
    let decision = outcome.decision(local(check, &decided)).by_fallback();
    let mut receipts = outcome.receipts.into_iter();
    let of = |is_local: &bool| is_local.then(|| receipts.next().flatten()).flatten();
    let receipts = ChargeReceipts {
        store: Receipts::new(),
        local: decided.iter().map(of).collect(),
    };
    Ok((decision, receipts))
}

/// Returns the charges that this process decides alone, each with its index in the check.
fn local<'c, 'a>(
    check: &'c Check<'a>,
    decided: &'c [bool],
) -> impl Iterator<Item = (u32, &'c Charge<'a>)> {
    let charges = (0..).zip(&check.charges).zip(decided);
    charges.filter_map(|(charge, is_local)| is_local.then_some(charge))
}
