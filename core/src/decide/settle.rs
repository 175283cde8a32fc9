//! Charges whose costs are changed after their decision, and charges that are forced.

use super::{
    charge::{release, try_charge},
    states::{ChargeStates, StateEntry, Usage},
};
use crate::{
    algorithm::{Settlement, State, Wait},
    check::Charge,
    decision::Verdict,
    limit::{Limit, LimitRef, PermitId},
    time::Micros,
};

/// Charges whether or not the cost fits, without regard to blocks. A permit is not forced.
///
/// # Errors
///
/// If there is no room for the state; nothing is then charged.
pub(super) fn force_charge<S: ChargeStates>(
    charge: &Charge<'_>,
    states: &mut S,
    now: Micros,
) -> Result<Verdict, S::Full> {
    let Some(limit) = charge.limit.rate() else {
        return try_charge(charge, states, now);
    };
    let existing = states.counter_mut(now).map(|mut entry| {
        let state = entry.state();
        let left = state.force_charge(limit, charge.cost, now);
        let usage = Usage::of_counter(limit, state, &left, now);
        entry.set_usage(usage);
        left
    });
    let left = match existing {
        Some(left) => left,
        None => {
            let mut state = State::empty(limit);
            let left = state.force_charge(limit, charge.cost, now);
            let usage = Usage::of_counter(limit, &state, &left, now);
            states.insert_counter(state, usage, now)?;
            left
        }
    };
    states.tidy(now);
    Ok(Verdict::new(Wait::None, left))
}

/// Changes the cost of a charge, as far as its state still holds the charge. A permit that is
/// settled is released.
pub(super) fn settle(
    charge: &Charge<'_>,
    settlement: &Settlement,
    states: &mut impl ChargeStates,
    now: Micros,
) {
    let limit = match charge.limit {
        LimitRef::Rate(limit) => limit,
        LimitRef::Concurrency(limit, _) => {
            return release(limit, PermitId(settlement.receipt.tag), states, now);
        }
    };
    let Some(mut entry) = states.counter_mut(now) else {
        return settle_absent(limit, settlement, states, now);
    };
    let state = entry.state();
    if !state.settle(limit, settlement, now) {
        return;
    }
    let (_, left) = state.peek(limit, 0, now);
    if left.reset > 0 || state.kept_for_settlement() > 0 {
        let usage = Usage::of_counter(limit, state, &left, now);
        entry.set_usage(usage);
    } else {
        drop(entry);
        states.remove_counter();
    }
}

/// Settles a charge of a bucket that is full, and so is absent. What is charged on top may exceed
/// what time has paid. Without room for the state, the settlement is lost.
fn settle_absent(
    limit: &Limit,
    settlement: &Settlement,
    states: &mut impl ChargeStates,
    now: Micros,
) {
    let mut state = State::empty(limit);
    if state.settle(limit, settlement, now) {
        let (_, left) = state.peek(limit, 0, now);
        let usage = Usage::of_counter(limit, &state, &left, now);
        if states.insert_counter(state, usage, now).is_ok() {
            states.tidy(now);
        }
    }
}
