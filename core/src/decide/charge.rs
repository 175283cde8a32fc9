//! The decision on one charge, and the steps of which the decision on a whole check is made.

use super::{
    block::Block,
    states::{ChargeStates, StateEntry, Usage},
};
use crate::{
    algorithm::{PermitTable, Receipt, State, Wait},
    check::{Charge, Outcome, Receipts},
    decision::{DecisionSource, Verdict},
    limit::{Concurrency, Limit, LimitRef, PermitId},
    time::Micros,
};

/// Decides a check of one charge in [`Mode::Charge`](crate::check::Mode::Charge), in a single step.
///
/// # Errors
///
/// If there is no room for the state; the charge is then not decided. A shadow limit is peeked at
/// instead, as it denies nothing.
#[inline]
pub fn decide_charge<S: ChargeStates>(
    charge: &Charge<'_>,
    states: &mut S,
    now: Micros,
) -> Result<Outcome, S::Full> {
    let mut verdict = match blocked_for(states, now) {
        None => match try_charge(charge, states, now) {
            Ok(verdict) => verdict,
            Err(_) if charge.limit.is_shadow() => peek_unblocked(charge, states, now),
            Err(full) => return Err(full),
        },
        Some(length) => {
            let mut verdict = peek_unblocked(charge, states, now);
            verdict.block_for(length);
            verdict
        }
    };
    let allowed = verdict.wait == Wait::None || charge.limit.is_shadow();
    start_block(charge, states, &mut verdict, allowed, now);
    Ok(Outcome {
        allowed,
        verdicts: smallvec::SmallVec::from_buf([verdict]),
        receipts: Receipts::new(),
        mirror_receipts: Receipts::new(),
        stable_for: 0,
        source: DecisionSource::Store,
    })
}

/// Returns how a charge stands, and charges nothing.
#[inline]
pub fn peek(charge: &Charge<'_>, states: &mut impl ChargeStates, now: Micros) -> Verdict {
    let mut verdict = peek_unblocked(charge, states, now);
    if let Some(length) = blocked_for(states, now) {
        verdict.block_for(length);
    }
    verdict
}

/// Returns how a charge stands without regard to blocks, and charges nothing.
#[inline]
pub(super) fn peek_unblocked(
    charge: &Charge<'_>,
    states: &mut impl ChargeStates,
    now: Micros,
) -> Verdict {
    let (wait, left) = match charge.limit {
        LimitRef::Rate(limit) => match states.counter(now) {
            Some(state) => state.peek(limit, charge.cost, now),
            None => State::empty(limit).peek(limit, charge.cost, now),
        },
        LimitRef::Concurrency(limit, permit_id) => match states.permits_mut(now) {
            Some(mut entry) => entry.state().peek(limit, permit_id, now),
            None => PermitTable::default().peek(limit, permit_id, now),
        },
    };
    Verdict::new(wait, left)
}

/// Charges if the cost fits, without regard to blocks.
///
/// # Errors
///
/// If there is no room for the state; nothing is then charged.
#[inline]
pub fn try_charge<S: ChargeStates>(
    charge: &Charge<'_>,
    states: &mut S,
    now: Micros,
) -> Result<Verdict, S::Full> {
    let limit = match charge.limit {
        LimitRef::Rate(limit) => limit,
        LimitRef::Concurrency(limit, permit_id) => {
            return acquire_permit(limit, permit_id, states, now);
        }
    };
    let cost = charge.cost;
    let existing = states.counter_mut(now).map(|mut entry| {
        let state = entry.state();
        let (wait, left) = state.try_charge(limit, cost, now);
        let charged = wait == Wait::None && cost > 0;
        if charged {
            let usage = Usage::of_counter(limit, state, &left, now);
            entry.set_usage(usage);
        }
        (Verdict::new(wait, left), charged)
    });
    let Some((verdict, charged)) = existing else {
        return start_counter(charge, limit, states, now);
    };
    if charged {
        states.tidy(now);
    }
    Ok(verdict)
}

/// Charges an absent counter. It is not inlined, to keep it out of the hot path of existing ones.
#[inline(never)]
fn start_counter<S: ChargeStates>(
    charge: &Charge<'_>,
    limit: &Limit,
    states: &mut S,
    now: Micros,
) -> Result<Verdict, S::Full> {
    let mut state = State::empty(limit);
    let (wait, left) = state.try_charge(limit, charge.cost, now);
    if wait == Wait::None && charge.cost > 0 {
        let usage = Usage::of_counter(limit, &state, &left, now);
        states.insert_counter(state, usage, now)?;
        states.tidy(now);
    }
    Ok(Verdict::new(wait, left))
}

/// Acquires a permit if there is one, or renews the permit that `permit_id` has.
#[inline]
fn acquire_permit<S: ChargeStates>(
    limit: &Concurrency,
    permit_id: PermitId,
    states: &mut S,
    now: Micros,
) -> Result<Verdict, S::Full> {
    let usage = |left: &_| Usage::new(LimitRef::Concurrency(limit, permit_id), left, now);
    let existing = states.permits_mut(now).map(|mut entry| {
        let (wait, left) = entry.state().try_acquire(limit, permit_id, now);
        entry.set_usage(usage(&left));
        (wait, left)
    });
    let (wait, left) = match existing {
        Some(acquired) => acquired,
        None => {
            let mut permits = PermitTable::default();
            let (wait, left) = permits.try_acquire(limit, permit_id, now);
            states.insert_permits(permits, usage(&left), now)?;
            (wait, left)
        }
    };
    states.tidy(now);
    Ok(Verdict::new(wait, left))
}

/// Returns the receipt of a charge that was just made, at the same `now`.
#[inline]
pub fn receipt(
    charge: &Charge<'_>,
    states: &impl ChargeStates,
    verdict: &Verdict,
    now: Micros,
) -> Option<Receipt> {
    let (tag, full_for) = match charge.limit {
        LimitRef::Rate(limit) => {
            let state = states.counter(now)?;
            (state.receipt_tag(limit, now), state.full_for())
        }
        LimitRef::Concurrency(_, permit_id) => (states.has_permits(now).then_some(permit_id.0)?, 0),
    };
    Some(Receipt {
        at: now,
        taken: charge.cost,
        remaining: verdict.remaining,
        tag,
        full_for,
    })
}

/// Releases a permit, if it is still held.
#[inline]
pub fn release(
    limit: &Concurrency,
    permit_id: PermitId,
    states: &mut impl ChargeStates,
    now: Micros,
) {
    let Some(mut entry) = states.permits_mut(now) else {
        return;
    };
    let permits = entry.state();
    if !permits.release(permit_id) {
        return;
    }
    let left = permits.availability(limit, now);
    if left.reset > 0 {
        let limit = LimitRef::Concurrency(limit, permit_id);
        entry.set_usage(Usage::new(limit, &left, now));
    } else {
        drop(entry);
        states.remove_permits();
    }
}

/// Starts the block of the limit if the denial starts one and there is room for it.
#[inline]
pub(super) fn start_block(
    charge: &Charge<'_>,
    states: &mut impl ChargeStates,
    verdict: &mut Verdict,
    allowed: bool,
    now: Micros,
) {
    if charge.starts_block(verdict, allowed) {
        set_block(charge, states, verdict, now);
    }
}

/// Records the offence, and blocks. It is not inlined, because few decisions start a block.
#[cold]
#[inline(never)]
fn set_block(
    charge: &Charge<'_>,
    states: &mut impl ChargeStates,
    verdict: &mut Verdict,
    now: Micros,
) {
    let Some(limit) = charge.limit.rate() else {
        return;
    };
    let block = Block::of_offence(states.block(now), limit, now);
    if states.set_block(block, now).is_ok() {
        states.tidy(now);
        verdict.block_for(block.until - now);
    }
}

/// Returns the time that is left of the block, if there is one.
#[inline]
fn blocked_for(states: &impl ChargeStates, now: Micros) -> Option<Micros> {
    states.block(now)?.left(now)
}
