//! Random refunds: every store agrees with the model, and a refund leaves a bucket no fuller than
//! if the charge had never been made.

use std::time::Duration;

use actix_throttle::{Algorithm, ChargedForTest, Limit, ManualClock, Refill};
use proptest::prelude::*;

use super::{
    FEW,
    agreement::units,
    for_random_plans,
    plan::{Cost, limit},
    receipts::{self, Gap, Step, cost, expected, pass, said},
};
use harness::{
    ServerVersion,
    stores::{StoreFixture, StoreKind, block_on, unique},
};
use test_model::{self as model, Model, Numbers};

#[derive(Clone, Copy, Debug)]
enum Action {
    Charge(Cost),
    /// Refunds the outstanding charge with this number, modulo the number of outstanding charges.
    Refund(usize),
}

/// A charge that has not been refunded yet.
struct Outstanding {
    taken: ChargedForTest,
    modelled: model::ModelCharge,
    /// Its index among all charges.
    index: usize,
}

fn steps() -> impl Strategy<Value = Vec<Step<Action>>> {
    let action = prop_oneof![
        4 => cost().prop_map(Action::Charge),
        3 => (0usize..8).prop_map(Action::Refund),
    ];
    receipts::steps(1, action, 50)
}

async fn follow(
    store: &StoreFixture,
    (limit, refill): (Limit, Refill),
    in_turn: bool,
    steps: &[Step<Action>],
) {
    let admit = if in_turn {
        Model::admit_in_turn
    } else {
        Model::admit
    };

    store.clock.set(ManualClock::new().now());
    let identity = unique("user");
    let numbers = Numbers::of(&limit, refill);
    let mut model = Model::new(numbers);
    let mut outstanding: Vec<Outstanding> = Vec::new();
    let mut charges: Vec<(u64, u64)> = Vec::new();
    let mut given_back = 0;
    for step in steps {
        let now = pass(store, step.gap, &limit);
        let mut never_charged = None;
        match step.action {
            Action::Charge(cost) => {
                let cost = units(cost, &limit).min(limit.quota());
                // The model does not know since when a bucket is full once a charge was refunded.
                let in_turn = in_turn && given_back == 0;
                let costing = if in_turn {
                    limit.cost(cost).in_turn()
                } else {
                    limit.cost(cost)
                };
                let checks = [(&costing, identity.as_str())];
                let (decision, taken) = store.limiter.check_with_receipts(&checks).await.unwrap();
                let expected = model.answer(now, cost.into()).wait == model::Wait::Fits;
                assert_eq!(decision.is_allowed(), expected, "{limit:?} at {now}");
                assert_eq!(taken.was_charged(), [expected]);
                if expected {
                    if in_turn {
                        model.admit_in_turn(now, cost.into())
                    } else {
                        model.admit(now, cost.into())
                    }
                    let modelled = model.taken(now, cost.into());
                    let index = charges.len();
                    charges.push((now, cost.into()));
                    outstanding.push(Outstanding {
                        taken,
                        modelled,
                        index,
                    });
                }
            }
            Action::Refund(number) if !outstanding.is_empty() => {
                let number = number % outstanding.len();
                let chosen = outstanding.remove(number);
                model.refund(now, &chosen.modelled);
                let decision = store.limiter.refund_charged(chosen.taken).await.unwrap();
                assert!(decision.is_allowed());
                given_back += 1;
                // Only the first refund is compared: a receipt does not know what an earlier refund
                // took from under its charge.
                if given_back == 1 {
                    let mut replayed = Model::new(numbers);
                    for (index, (at, cost)) in charges.iter().enumerate() {
                        if index != chosen.index {
                            admit(&mut replayed, *at, *cost);
                        }
                    }
                    never_charged = Some(replayed);
                }
            }
            Action::Refund(_) => {}
        }
        let peeked = store.limiter.peek(&limit, identity.as_str()).await.unwrap();
        let answer = model.answer(now, 1);
        assert_eq!(
            said(&peeked.limits()[0]),
            expected(&answer),
            "{limit:?} at {now} after {:?}",
            step.action
        );
        // Fixed windows and buckets with interval refill are left out: they keep the start that the
        // refunded charge gave them.
        if let Some(replayed) = never_charged
            && (limit.algorithm_value(), refill) != (Algorithm::TokenBucket, Refill::Interval)
            && limit.algorithm_value() != Algorithm::FixedWindow
        {
            let without = replayed.answer(now, 1);
            // Later charges in turn may have counted from the refunded charge, and a leaky bucket
            // may have carried over less than a microsecond from it.
            let carried = if in_turn {
                5_000
            } else {
                u64::from(limit.algorithm_value() == Algorithm::LeakyBucket)
            };
            assert!(answer.reset + carried >= without.reset, "{limit:?}");
            if carried == 0 {
                assert!(answer.remaining <= without.remaining, "{limit:?}");
            }
        }
    }
}

fn agree(kind: StoreKind, most: u32) {
    let plans = (limit(), any::<bool>(), steps());
    for_random_plans(
        kind,
        most,
        &plans,
        async |store, (limit, in_turn, steps)| {
            follow(store, limit, in_turn, &steps).await;
        },
    );
}

/// A charge of a leaky bucket that is counted late: whole tokens of it have drained when it is
/// made.
#[test]
fn late_charge_of_a_leaky_bucket_is_given_back_exactly() {
    let limit = Limit::new(37_439, Duration::from_micros(37_439)).algorithm(Algorithm::LeakyBucket);
    let charge = |gap, cost| Step {
        gap: Gap::Micros(gap),
        action: Action::Charge(Cost::Units(cost)),
    };
    let refund = Step {
        gap: Gap::Micros(0),
        action: Action::Refund(1),
    };
    for late in 3..6 {
        let steps = [charge(0, 1), charge(late, 3), charge(1, 2), refund.clone()];
        for target in [StoreKind::Memory, StoreKind::Server(ServerVersion::Redis7)] {
            block_on(async {
                let store = StoreFixture::new(target).await;
                follow(&store, (limit, Refill::Greedy), true, &steps).await;
            });
        }
    }
}

/// The bucket without the refunded charge was full for so long that the second charge counts from
/// its own time, 5 ms later, and the third finds less than a token.
#[test]
fn history_without_the_charge_may_owe_what_a_turn_gained() {
    let limit = Limit::new(10, Duration::from_secs(1)).algorithm(Algorithm::TokenBucket);
    let step = |gap, action| Step {
        gap: Gap::Micros(gap),
        action,
    };
    let charge = |cost| Action::Charge(Cost::Units(cost));
    let steps = [
        step(0, charge(10)),
        step(1_050_000, charge(10)),
        step(99_500, charge(1)),
        step(0, Action::Refund(0)),
    ];
    block_on(async {
        let store = StoreFixture::new(StoreKind::Memory).await;
        follow(&store, (limit, Refill::Greedy), true, &steps).await;
    });
}

#[test]
fn memory_gives_back_as_the_model_does() {
    agree(StoreKind::Memory, 2000);
}

#[test]
fn redis_6_2_gives_back_as_the_model_does() {
    agree(StoreKind::Server(ServerVersion::Redis62), FEW);
}

#[test]
fn redis_7_gives_back_as_the_model_does() {
    agree(StoreKind::Server(ServerVersion::Redis7), 300);
}

#[test]
fn valkey_9_gives_back_as_the_model_does() {
    agree(StoreKind::Server(ServerVersion::Valkey9), FEW);
}

#[test]
fn a_cluster_gives_back_as_the_model_does() {
    agree(StoreKind::Cluster, FEW);
}

#[test]
fn clusters_with_open_slots_agree() {
    agree(StoreKind::OpenSlots(ServerVersion::Redis62), 30);
    agree(StoreKind::OpenSlots(ServerVersion::Valkey9), 30);
}
