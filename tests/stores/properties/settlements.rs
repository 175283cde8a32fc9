//! Random settlements: every store answers as the model does whose charges had their true cost from
//! the beginning, forced where it did not fit.

mod exactness;
mod examples;

use actix_throttle::{Algorithm, ChargedForTest, Limit, ManualClock, Refill};
use proptest::prelude::*;

use self::exactness::{Exactness, exactness, is_dropped, replayed};
use super::{
    FEW,
    agreement::units,
    for_random_plans, micros,
    plan::{Cost, limit},
    receipts::{self, Step, cost, expected, pass, said},
};
use harness::{
    ServerVersion,
    stores::{StoreFixture, StoreKind, unique},
};
use test_model::{Numbers, Wait};

#[derive(Clone, Copy, Debug)]
enum Action {
    Charge(Cost),
    /// Charges in one piece what is settled in two, as a lease is.
    ChargeParts(Cost),
    /// Settles the outstanding charge with this number, modulo the number of outstanding charges,
    /// at this many 16ths of the quota, and this much more.
    Settle(usize, u64, u32),
}

/// A charge that has not been settled yet.
struct Outstanding {
    taken: ChargedForTest,
    /// Its cost, which may be a part of the charge's.
    cost: u64,
    /// The index of the charge among all of them.
    index: usize,
    /// The number of settlements before it.
    settlements: usize,
}

/// The largest cost of a settlement here: the sum of all is below the largest count.
const MOST: u64 = 50_000_000;

fn steps() -> impl Strategy<Value = Vec<Step<Action>>> {
    let settle = (0usize..8, 0u64..40, 0u32..4);
    let action = prop_oneof![
        4 => cost().prop_map(Action::Charge),
        2 => cost().prop_map(Action::ChargeParts),
        5 => settle.prop_map(|(number, part, more)| Action::Settle(number, part, more)),
    ];
    receipts::steps(2, action, 40)
}

/// The first charge of a bucket with interval refill that would now look like this. `None` if it is
/// in debt, which does not show how many tokens are missing, or if it is full.
fn observed(limit: &Limit, (remaining, _, more): (u64, u64, u64), now: u64) -> Option<(u64, u64)> {
    let missing = u64::from(limit.quota()) - remaining;
    let since = (now + more).checked_sub(limit.window_micros())?;
    (remaining > 0 && missing > 0).then_some((since, missing))
}

/// The charges of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Charges {
    /// They are made to be settled, so that a bucket keeps them.
    ForSettlement,
    /// A bucket keeps none, and knows of each what its receipt says.
    ByReceipt,
}

async fn follow(
    store: &StoreFixture,
    (limit, refill): (Limit, Refill),
    kind: Charges,
    steps: &[Step<Action>],
) {
    store.clock.set(ManualClock::new().now());
    let identity = unique("user");
    let numbers = Numbers::of(&limit, refill);
    let mut charges: Vec<(u64, u64)> = Vec::new();
    // The charges with the largest cost that each has counted as.
    let mut largest: Vec<(u64, u64)> = Vec::new();
    let mut outstanding: Vec<Outstanding> = Vec::new();
    let mut settlements = 0;
    // The number of charges that are not kept any more.
    let mut dropped = 0;
    for step in steps {
        let now = pass(store, step.gap, &limit);
        if is_dropped(numbers, &charges, now) {
            dropped = charges.len();
        }
        let mut exact = Exactness::Exact;
        match step.action {
            Action::Charge(cost) | Action::ChargeParts(cost) => {
                let cost = units(cost, &limit).min(limit.quota());
                let costing = match kind {
                    Charges::ForSettlement => limit.cost(cost).for_settlement(),
                    Charges::ByReceipt => limit.cost(cost),
                };
                let checks = [(&costing, identity.as_str())];
                let (decision, taken) = store.limiter.check_with_receipts(&checks).await.unwrap();
                let answer = replayed(numbers, &charges).answer(now, cost.into());
                assert_eq!(
                    decision.is_allowed(),
                    answer.wait == Wait::Fits,
                    "{limit:?} at {now}"
                );
                if let Wait::For(wait) = answer.wait {
                    assert_eq!(decision.retry_after().map(micros), Some(wait), "{limit:?}");
                }
                if decision.is_allowed() {
                    let is_whole = matches!(step.action, Action::Charge(_));
                    let parts = match kind {
                        Charges::ForSettlement if !is_whole && cost > 1 => {
                            let part = cost / 3 + 1;
                            vec![
                                (taken.part(part), part),
                                (taken.part(cost - part), cost - part),
                            ]
                        }
                        _ => vec![(taken, cost)],
                    };
                    outstanding.extend(parts.into_iter().map(|(taken, cost)| Outstanding {
                        taken,
                        cost: cost.into(),
                        index: charges.len(),
                        settlements,
                    }));
                    charges.push((now, cost.into()));
                    largest.push((now, cost.into()));
                }
            }
            Action::Settle(number, part, more) if !outstanding.is_empty() => {
                let chosen = outstanding.remove(number % outstanding.len());
                let to = (u64::from(limit.quota()) * part / 16 + u64::from(more)).min(MOST);
                // A window that is emptied opens anew, which the model does not know.
                let to = match limit.algorithm_value() {
                    Algorithm::FixedWindow if numbers.calendar.is_none() => to.max(1),
                    _ => to,
                };
                let is_part = chosen.cost < charges[chosen.index].1;
                if is_part && chosen.index < dropped {
                    // A part of a charge that is not kept has no bound here.
                    return;
                }
                let is_latest = settlements == chosen.settlements;
                settlements += 1;
                if kind == Charges::ByReceipt || chosen.index < dropped {
                    exact = exactness(
                        (&limit, refill),
                        &charges,
                        chosen.index,
                        (to, is_latest),
                        now,
                    );
                    // The others do not explain the bucket any more.
                    dropped = charges.len();
                }
                let cost = u32::try_from(to).unwrap();
                let settled = store.limiter.settle_charged(chosen.taken, cost).await;
                assert!(settled.unwrap().0.is_allowed());
                let charge = &mut charges[chosen.index].1;
                *charge = *charge - chosen.cost + to;
                let largest = &mut largest[chosen.index].1;
                *largest = (*charge).max(*largest);
            }
            Action::Settle(..) => {}
        }
        let peeked = store.limiter.peek(&limit, identity.as_str()).await.unwrap();
        let status = said(&peeked.limits()[0]);
        let answer = expected(&replayed(numbers, &charges).answer(now, 1));
        // A charge that is not kept may count as if nothing had been refunded since.
        let at_most = expected(&replayed(numbers, &largest).answer(now, 1)).1;
        let context = || format!("{limit:?} at {now} after {:?}: {exact:?}", step.action);
        let (_, reset, _) = status;
        match exact {
            // A leaky bucket carries over what depends on when it was without debt.
            Exactness::Exact if limit.algorithm_value() == Algorithm::LeakyBucket => {
                assert!(
                    reset.abs_diff(answer.1) <= 1,
                    "{} {status:?} {answer:?}",
                    context()
                );
            }
            Exactness::Exact => assert_eq!(status, answer, "{}", context()),
            // The model knows more from here on.
            Exactness::Shorter(gaps) => {
                assert!(reset <= answer.1 + 1, "{} {status:?} {answer:?}", context());
                assert!(
                    reset + gaps + 1 >= answer.1,
                    "{} {status:?} {answer:?}",
                    context()
                );
                return;
            }
            Exactness::AtMost => {
                assert!(reset <= at_most + 1, "{} {status:?} {at_most}", context());
                return;
            }
            Exactness::Longer => {
                assert!(reset + 1 >= answer.1, "{} {status:?} {answer:?}", context());
                return;
            }
            Exactness::AtMostByRefills | Exactness::LongerByRefills => {
                let window = limit.window_micros();
                let is_right = match exact {
                    Exactness::AtMostByRefills => reset < at_most + window,
                    _ => reset + window > answer.1,
                };
                assert!(is_right, "{} {status:?} {answer:?}", context());
                let Some(observed) = observed(&limit, status, now) else {
                    return;
                };
                // The bucket is what was seen of it, from here on.
                charges = vec![observed];
                largest.clone_from(&charges);
                dropped = charges.len();
                outstanding.clear();
            }
        }
        if limit.algorithm_value() == Algorithm::LeakyBucket
            && exact == Exactness::Exact
            && status != answer
        {
            return;
        }
    }
}

fn agree(kind: StoreKind, charges: Charges, most: u32) {
    let plans = (limit(), steps());
    for_random_plans(kind, most, &plans, async |store, (limit, steps)| {
        follow(store, limit, charges, &steps).await;
    });
}

#[test]
fn memory_settles_as_the_model_does() {
    agree(StoreKind::Memory, Charges::ForSettlement, 2000);
}

#[test]
fn redis_6_2_settles_as_the_model_does() {
    agree(
        StoreKind::Server(ServerVersion::Redis62),
        Charges::ForSettlement,
        FEW,
    );
}

#[test]
fn redis_7_settles_as_the_model_does() {
    agree(
        StoreKind::Server(ServerVersion::Redis7),
        Charges::ForSettlement,
        300,
    );
}

#[test]
fn valkey_9_settles_as_the_model_does() {
    agree(
        StoreKind::Server(ServerVersion::Valkey9),
        Charges::ForSettlement,
        FEW,
    );
}

#[test]
fn a_cluster_settles_as_the_model_does() {
    agree(StoreKind::Cluster, Charges::ForSettlement, FEW);
}

#[test]
fn clusters_with_open_slots_agree() {
    for version in [ServerVersion::Redis62, ServerVersion::Valkey9] {
        agree(StoreKind::OpenSlots(version), Charges::ForSettlement, 30);
    }
}

#[test]
fn memory_settles_by_receipts_within_bounds() {
    agree(StoreKind::Memory, Charges::ByReceipt, 2000);
}

#[test]
fn redis_7_settles_by_receipts_within_bounds() {
    agree(
        StoreKind::Server(ServerVersion::Redis7),
        Charges::ByReceipt,
        300,
    );
}
