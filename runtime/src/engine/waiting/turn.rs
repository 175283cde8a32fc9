//! A turn in a wait queue: its meaning for the charge and for the next waiter. `wait` calls it.

use actix_throttle_core::{
    decision::{Decision, LimitStatus},
    limit::{Algorithm, Limit},
    time::to_micros,
};

use super::queue::Next;
use crate::engine::concurrency::OwnedCharge;

/// Returns when the next waiter polls, after this grant. A bucket that holds one token tells when
/// it has another; the store must be asked about other rates.
pub(super) fn next_waiter(decision: &Decision) -> Next {
    let used_up = || decision.enforced().filter(|limit| limit.remaining() == 0);
    if used_up().any(|limit| limit.concurrency().is_some()) {
        return Next::Later;
    }
    let holds_one = |limit: &Limit| {
        let is_token = limit.algorithm_value() == Algorithm::TokenBucket && limit.quota() == 1;
        is_token || limit.algorithm_value() == Algorithm::LeakyBucket
    };
    let waits = used_up().filter(|status| status.limit().is_some_and(holds_one));
    match waits.map(LimitStatus::reset_after).max() {
        Some(wait) if !wait.is_zero() => Next::In(to_micros(wait)),
        _ => Next::Now,
    }
}

/// Copies an alternative with new permit ids for each attempt: a late reply then concerns another
/// permit. `in_turn` is the charge for which the caller has waited in a queue until its turn came;
/// `None` if it has not waited. A bucket counts this charge from the moment when the turn was due.
pub(super) fn with_fresh_permit_ids(
    alternative: &[OwnedCharge],
    in_turn: Option<&OwnedCharge>,
) -> Vec<OwnedCharge> {
    let wanted = alternative.iter().map(|one| {
        let is_in_turn = in_turn.is_some_and(|waited| waited.key().is_same(&one.key()));
        if is_in_turn {
            one.with_new_permit_id().in_turn()
        } else {
            one.with_new_permit_id()
        }
    });
    wanted.collect()
}
