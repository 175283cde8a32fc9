//! Makes the outcomes of a plain call: it reads the states before the charges from the reply, and
//! charges them again as the script did, request by request, by the step functions that the
//! in-memory store runs. So a verdict has one source, and the script computes none.

use actix_throttle_core::{
    algorithm::{State, StoredState, Wait},
    check::{Outcome, Receipts},
    decision::{DecisionSource, Verdict},
    limit::{Counting, Limit},
    stored::{
        LogElement,
        bytes::{take, take_u32},
    },
    time::{MAX_MICROS, Micros},
};
use smallvec::SmallVec;

use crate::engine::store::redis::plain::checks::PlainChecks;

/// The states of all keys, by the index of the key from 0, and the time of the call. `order` has
/// the index of each key in the order of the call, from 1. `None` if the reply is malformed.
pub(crate) fn states(
    reply: &[u8],
    checks: &PlainChecks,
    order: &[u32],
) -> Option<(Vec<Option<State>>, Micros)> {
    let limits = checks.limits().iter();
    let width = limits
        .map(|limit| width(&limit.limit) * limit.keys as usize)
        .sum();
    let (mut rest, mut after) = reply.split_at_checked(width)?;
    let now = take(&mut after, 7)?;
    let found = found(after, now)?;
    let mut states: Vec<Option<State>> = Vec::new();
    states.resize_with(checks.keys().len(), || None);
    // Logs come last, behind the marker.
    for (key_index, key) in (2..).zip(order) {
        let index = (*key as usize).checked_sub(1)?;
        let limit = checks.keys().get(index)?.limit;
        let limit = &checks.limits().get(limit as usize)?.limit;
        let mut stored = stored(&mut rest, limit, now)?;
        if let StoredState::Log { leaving, .. } = &mut stored {
            let of_key = found.iter().filter(|found| found.key_index == key_index);
            leaving.extend(of_key.map(|found| (found.cost, found.time)));
        }
        *states.get_mut(index)? = Some(State::of_stored(limit, stored));
    }
    Some((states, now))
}

/// A lookup in a log: `cost` of it has left the window once the admission of `time` has.
struct Found {
    /// The index of the key in the call, from 1.
    key_index: u64,
    cost: u32,
    time: Micros,
}

fn found(mut reply: &[u8], now: Micros) -> Option<Vec<Found>> {
    let mut all = Vec::new();
    while !reply.is_empty() {
        all.push(Found {
            key_index: take(&mut reply, 2)?,
            cost: take_u32(&mut reply, 4)?,
            time: element(&mut reply)?.time_before(now),
        });
    }
    Some(all)
}

/// The bytes of a state in the reply.
fn width(limit: &Limit) -> usize {
    match limit.counting() {
        Counting::SlidingWindow => 3 * LogElement::WIDTH,
        counting => StoredState::width(counting),
    }
}

/// Reads the first state in `rest`, and advances `rest` to what follows. A state is the value of
/// its key. Of a list, it is the last element before the window, and the oldest and the newest one
/// in it.
fn stored(rest: &mut &[u8], limit: &Limit, now: Micros) -> Option<StoredState> {
    let counting = limit.counting();
    if counting != Counting::SlidingWindow {
        return StoredState::decode(counting, rest);
    }
    let before = element(rest)?;
    let oldest = element(rest)?;
    let newest = element(rest)?;
    Some(StoredState::Log {
        oldest: oldest.time_before(now),
        newest: newest.time_before(now),
        used: newest.cost_since(&before),
        leaving: Vec::new(),
    })
}

/// Reads the first element of a log in `rest`, and advances `rest` to what follows.
fn element(rest: &mut &[u8]) -> Option<LogElement> {
    let (element, after) = rest.split_at_checked(LogElement::WIDTH)?;
    *rest = after;
    LogElement::decode(element)
}

/// Decides a check of this kind, as the script did.
pub(crate) fn decide(
    checks: &PlainChecks,
    kind: u32,
    states: &mut [Option<State>],
    now: Micros,
) -> Outcome {
    let charges = checks.charges(kind);
    let mut verdicts: SmallVec<[Verdict; 1]> = SmallVec::new();
    let mut each = |is_charge: bool| {
        verdicts.clear();
        for charge in charges {
            let limit = checks.limits().get(checks.key(charge).limit as usize);
            let state = states.get_mut(charge.key as usize).and_then(Option::as_mut);
            let (Some(limit), Some(state)) = (limit, state) else {
                continue;
            };
            let (wait, quota) = if is_charge {
                state.try_charge(&limit.limit, charge.cost, now)
            } else {
                state.peek(&limit.limit, charge.cost, now)
            };
            verdicts.push(Verdict::new(wait, quota));
        }
        verdicts.iter().all(|verdict| verdict.wait == Wait::None)
    };
    // One limit is charged or not in a single step.
    let allowed = match charges.len() {
        1 => each(true),
        _ => each(false) && each(true),
    };
    Outcome {
        allowed,
        stable_for: if allowed { 0 } else { stable_for(&verdicts) },
        verdicts,
        receipts: Receipts::new(),
        mirror_receipts: Receipts::new(),
        source: DecisionSource::Store,
    }
}

/// Returns how long a denial stays the same by itself: until more remains of one of its limits.
fn stable_for(verdicts: &[Verdict]) -> Micros {
    let until_more = verdicts.iter().map(|verdict| match verdict.more {
        0 => MAX_MICROS,
        more => more,
    });
    until_more.min().unwrap_or(0)
}

#[cfg(test)]
mod tests;
