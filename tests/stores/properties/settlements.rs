//! Random settlements: every store answers as the model does whose charges had their true cost from
//! the beginning, forced where it did not fit.

mod exactness;

use std::time::Duration;

use actix_throttle::{Algorithm, ChargedForTest, Limit, ManualClock, Refill};
use proptest::prelude::*;

use self::exactness::{Exactness, exactness, replayed};
use super::{
    FEW,
    agreement::units,
    for_random_plans, micros,
    plan::{Cost, limit},
    receipts::{self, Gap, Step, cost, expected, pass, said},
};
use harness::{
    ServerVersion,
    stores::{StoreFixture, StoreKind, block_on, unique},
};
use test_model::{Numbers, Wait};

#[derive(Clone, Copy, Debug)]
enum Action {
    Charge(Cost),
    /// Settles the outstanding charge with this number, modulo the number of outstanding charges,
    /// at this many 16ths of the quota, and this much more.
    Settle(usize, u64, u32),
}

/// A charge that has not been settled yet.
struct Outstanding {
    taken: ChargedForTest,
    /// Its index among all charges.
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
        4 => settle.prop_map(|(number, part, more)| Action::Settle(number, part, more)),
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

async fn follow(store: &StoreFixture, (limit, refill): (Limit, Refill), steps: &[Step<Action>]) {
    store.clock.set(ManualClock::new().now());
    let identity = unique("user");
    let numbers = Numbers::of(&limit, refill);
    let mut charges: Vec<(u64, u64)> = Vec::new();
    let mut outstanding: Vec<Outstanding> = Vec::new();
    let mut settlements = 0;
    for step in steps {
        let now = pass(store, step.gap, &limit);
        let mut exact = Exactness::Exact;
        match step.action {
            Action::Charge(cost) => {
                let cost = units(cost, &limit).min(limit.quota());
                let costing = limit.cost(cost);
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
                    outstanding.push(Outstanding {
                        taken,
                        index: charges.len(),
                        settlements,
                    });
                    charges.push((now, cost.into()));
                }
            }
            Action::Settle(number, part, more) if !outstanding.is_empty() => {
                let chosen = outstanding.remove(number % outstanding.len());
                let to = (u64::from(limit.quota()) * part / 16 + u64::from(more)).min(MOST);
                // A window that is emptied opens anew, which the model does not know.
                let to = match limit.kind() {
                    Algorithm::FixedWindow if numbers.calendar.is_none() => to.max(1),
                    _ => to,
                };
                let is_latest = settlements == chosen.settlements;
                settlements += 1;
                exact = exactness(
                    (&limit, refill),
                    &charges,
                    chosen.index,
                    (to, is_latest),
                    now,
                );
                let cost = u32::try_from(to).unwrap();
                let settled = store.limiter.settle_charged(chosen.taken, cost).await;
                assert!(settled.unwrap().0.is_allowed());
                charges[chosen.index].1 = to;
            }
            Action::Settle(..) => {}
        }
        let peeked = store.limiter.peek(&limit, identity.as_str()).await.unwrap();
        let status = said(&peeked.limits()[0]);
        let answer = expected(&replayed(numbers, &charges).answer(now, 1));
        let context = || format!("{limit:?} at {now} after {:?}: {exact:?}", step.action);
        let (_, reset, _) = status;
        match exact {
            // A leaky bucket carries over what depends on when it was without debt.
            Exactness::Exact if limit.kind() == Algorithm::LeakyBucket => {
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
                assert!(reset <= answer.1 + 1, "{} {status:?} {answer:?}", context());
                return;
            }
            Exactness::Longer => {
                assert!(reset + 1 >= answer.1, "{} {status:?} {answer:?}", context());
                return;
            }
            Exactness::AtMostByRefills | Exactness::LongerByRefills => {
                let window = limit.window_micros();
                let is_right = match exact {
                    Exactness::AtMostByRefills => reset < answer.1 + window,
                    _ => reset + window > answer.1,
                };
                assert!(is_right, "{} {status:?} {answer:?}", context());
                let Some(observed) = observed(&limit, status, now) else {
                    return;
                };
                // The bucket is what was seen of it, from here on.
                charges = vec![observed];
                outstanding.clear();
            }
        }
        if limit.kind() == Algorithm::LeakyBucket && exact == Exactness::Exact && status != answer {
            return;
        }
    }
}

fn agree(kind: StoreKind, most: u32) {
    let plans = (limit(), steps());
    for_random_plans(kind, most, &plans, async |store, (limit, steps)| {
        follow(store, limit, &steps).await;
    });
}

/// A bucket that was full for a while between two charges: what the first one is settled at was
/// partly paid by that time.
#[test]
fn time_of_a_full_bucket_pays_for_what_is_charged_later() {
    let charge = |gap, cost| Step {
        gap: Gap::Micros(gap),
        action: Action::Charge(Cost::Units(cost)),
    };
    let settle = |gap, part| Step {
        gap: Gap::Micros(gap),
        action: Action::Settle(0, part, 0),
    };
    let second = 1_000_000;
    for algorithm in [Algorithm::TokenBucket, Algorithm::LeakyBucket] {
        let limit = Limit::new(100, Duration::from_secs(100)).algorithm(algorithm);
        let steps = [
            charge(0, 1),
            charge(15 * second, 3),
            settle(second, 8),
            charge(second, 1),
        ];
        for target in [StoreKind::Memory, StoreKind::Server(ServerVersion::Redis7)] {
            block_on(async {
                let store = StoreFixture::new(target).await;
                follow(&store, (limit, Refill::Greedy), &steps).await;
            });
        }
    }
}

/// A charge whose bucket was in debt by an earlier settlement, settled after more than the twelve
/// days for which a bucket knows how long it was full.
#[test]
fn what_is_charged_late_is_never_too_much() {
    let step = |gap, action| Step { gap, action };
    let charge = Action::Charge(Cost::Units(1));
    let limit = Limit::new(1, Duration::from_micros(494_660_581))
        .algorithm(Algorithm::TokenBucket)
        .refill(Refill::Interval)
        .capacity(2962);
    let steps = [
        step(Gap::Micros(0), charge),
        step(Gap::Micros(0), charge),
        step(Gap::OfWindow(0), Action::Settle(2, 17, 0)),
        step(Gap::Micros(1_495_874_096_650), Action::Settle(0, 0, 2)),
    ];
    for target in [StoreKind::Memory, StoreKind::Server(ServerVersion::Redis7)] {
        block_on(async {
            let store = StoreFixture::new(target).await;
            follow(&store, (limit, Refill::Interval), &steps).await;
        });
    }
}

#[test]
fn memory_settles_as_the_model_does() {
    agree(StoreKind::Memory, 2000);
}

#[test]
fn redis_6_2_settles_as_the_model_does() {
    agree(StoreKind::Server(ServerVersion::Redis62), FEW);
}

#[test]
fn redis_7_settles_as_the_model_does() {
    agree(StoreKind::Server(ServerVersion::Redis7), 300);
}

#[test]
fn valkey_9_settles_as_the_model_does() {
    agree(StoreKind::Server(ServerVersion::Valkey9), FEW);
}

#[test]
fn a_cluster_settles_as_the_model_does() {
    agree(StoreKind::Cluster, FEW);
}

#[test]
fn clusters_with_open_slots_agree() {
    agree(StoreKind::OpenSlots(ServerVersion::Redis62), 30);
    agree(StoreKind::OpenSlots(ServerVersion::Valkey9), 30);
}
