//! Up to four random limits in one decision: the in-memory store and Redis agree with the model to
//! the microsecond.

use std::time::Duration;

use actix_throttle::{Decision, Limit, LimitStatus, ManualClock};

use super::{
    FEW, for_random_plans, micros,
    plan::{Cost, DAY, Gap, Plan, ZONES, plan},
};
use harness::{
    ServerVersion,
    stores::{StoreFixture, StoreKind, unique},
};
use test_model::{Answer, Model, Numbers, Wait};

/// The status of one limit in the types of the model.
fn said(status: &LimitStatus) -> Answer {
    Answer {
        wait: match (status.exceeds_capacity(), status.retry_after()) {
            (true, _) => Wait::Never,
            (false, Some(wait)) => Wait::For(micros(wait)),
            (false, None) => Wait::Fits,
        },
        remaining: status.remaining().into(),
        reset: micros(status.reset_after()),
        more: status.more_after().map_or(0, micros),
    }
}

async fn follow(store: &StoreFixture, plan: &Plan) {
    store.clock.set(ManualClock::new().now());
    let identity = unique("user");
    let zoned = plan.limits.iter().zip(ZONES);
    let limits: Vec<_> = zoned.map(|((limit, _), zone)| limit.zone(zone)).collect();
    let numbers = plan
        .limits
        .iter()
        .map(|(limit, refill)| Numbers::of(limit, *refill));
    let mut models: Vec<_> = numbers.map(Model::new).collect();
    let mut retry = 0;
    for step in &plan.steps {
        store.advance(match step.gap {
            Gap::Micros(gap) => gap,
            Gap::OfWindow(part) => limits[0].window_micros() / 256 * part,
            Gap::Retry(less) => u64::saturating_sub(retry, less).min(366 * DAY),
            Gap::Late(more) => (retry + more).min(366 * DAY),
        });
        let now = micros(store.clock.now());
        let costed: Vec<_> = limits
            .iter()
            .zip(step.costs)
            .map(|(limit, cost)| {
                if step.in_turn {
                    limit.cost(units(cost, limit)).in_turn()
                } else {
                    limit.cost(units(cost, limit))
                }
            })
            .collect();
        let checks: Vec<_> = costed
            .iter()
            .map(|limit| (limit, identity.as_str()))
            .collect();
        let decision = store.limiter.check_all(&checks).await.unwrap();

        let before: Vec<_> = models
            .iter()
            .zip(&costed)
            .map(|(model, limit)| answer(model, now, limit.cost_value()))
            .collect();
        let allowed = before.iter().all(|answer| answer.wait == Wait::Fits);
        assert_eq!(decision.is_allowed(), allowed, "at {now}");
        if allowed {
            for (model, limit) in models.iter_mut().zip(&costed) {
                match (limit.cost_value(), step.in_turn) {
                    (0, _) => {}
                    (cost, false) => model.admit(now, cost.into()),
                    (cost, true) => model.admit_in_turn(now, cost.into()),
                }
            }
        }
        for ((model, before), status) in models.iter().zip(&before).zip(decision.limits()) {
            let quota = model.answer(now, 1);
            let expected = Answer {
                wait: before.wait,
                ..quota
            };
            assert_eq!(said(status), expected, "{:?} at {now}", status.name());
        }
        retry = honest_wait(store, &checks, &decision).await;
    }
}

pub(super) fn units(cost: Cost, limit: &Limit) -> u32 {
    match cost {
        Cost::Units(units) => units,
        Cost::OfQuota(sixteenths) => {
            let units = u64::from(limit.quota()) * u64::from(sixteenths) / 16;
            u32::try_from(units).unwrap().max(1)
        }
    }
}

/// The model's answer; a cost of 0 always fits.
fn answer(model: &Model, now: u64, cost: u32) -> Answer {
    let answer = model.answer(now, cost.max(1).into());
    Answer {
        wait: if cost == 0 { Wait::Fits } else { answer.wait },
        ..answer
    }
}

/// Asserts that waiting for the reported time admits, and a microsecond less does not. Returns that
/// time in microseconds, or 0 if the decision is no denial.
async fn honest_wait(store: &StoreFixture, checks: &[(&Limit, &str)], decision: &Decision) -> u64 {
    let Some(wait) = decision.retry_after() else {
        return 0;
    };
    let now = store.clock.now();
    // A manual clock outlives the keys in Redis, and logs in Redis hold times at most 71 years
    // apart.
    if micros(wait) > 20 * 366 * DAY {
        return 0;
    }
    for (until, allowed) in [(wait - Duration::from_micros(1), false), (wait, true)] {
        store.clock.set(now + until);
        let mut all = true;
        for (limit, identity) in checks {
            all &= store
                .limiter
                .peek(limit, *identity)
                .await
                .unwrap()
                .is_allowed();
        }
        assert_eq!(all, allowed, "after {until:?} of {wait:?}: {decision:?}");
    }
    store.clock.set(now);
    micros(wait)
}

fn agree(kind: StoreKind, most: u32) {
    for_random_plans(kind, most, &plan(), async |store, plan| {
        follow(store, &plan).await;
    });
}

#[test]
fn memory_agrees_with_the_model() {
    agree(StoreKind::Memory, 1500);
}

#[test]
fn redis_6_2_agrees_with_the_model() {
    agree(StoreKind::Server(ServerVersion::Redis62), FEW);
}

#[test]
fn redis_7_agrees_with_the_model() {
    agree(StoreKind::Server(ServerVersion::Redis7), 300);
}

#[test]
fn valkey_9_agrees_with_the_model() {
    agree(StoreKind::Server(ServerVersion::Valkey9), FEW);
}

#[test]
fn a_cluster_agrees_with_the_model() {
    agree(StoreKind::Cluster, FEW);
}

#[test]
fn clusters_with_open_slots_agree() {
    agree(StoreKind::OpenSlots(ServerVersion::Redis62), 30);
    agree(StoreKind::OpenSlots(ServerVersion::Valkey9), 30);
}
