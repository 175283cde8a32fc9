//! Tests of what the local fallback knows and does after an outage.

use std::time::Instant;

use actix_throttle_core::{
    check::{Charge, Check, Mode},
    failure_mode::FailureMode,
    identity::Identity,
    key::Key,
    limit::{Algorithm, Limit},
};
use futures_util::FutureExt;
use smallvec::smallvec;

use super::{LocalFallback, debts::Debts};
use crate::engine::{
    clock::Clock,
    store::{
        interface::{Miss, Store},
        memory::MemoryStore,
    },
};

/// One request a second. A debt of 10^9 lasts for decades.
const BUCKET: Limit = Limit::per_second(1).algorithm(Algorithm::LeakyBucket);
const OTHER: Limit = Limit::per_second(10);

const HOUR: u64 = 3_600_000_000;

fn charge<'a>(identity: &'a Identity, limit: &'a Limit, cost: u32) -> Charge<'a> {
    Charge {
        key: Key::counter(identity, limit),
        limit: limit.into(),
        cost,
        failure_mode: FailureMode::Local,
    }
}

fn check<'a>(mode: Mode<'a>, charge: Charge<'a>) -> Check<'a> {
    Check {
        mode,
        charges: smallvec![charge],
    }
}

/// A fallback that has decided long ago, and a debt of `ann` that was settled there.
#[test]
fn debt_of_one_counter_leaves_the_others_their_fast_path() {
    let clock = Clock::Monotonic {
        epoch: HOUR,
        start: Instant::now(),
    };
    let memory = || MemoryStore::new(100, clock.clone());
    let fallback = LocalFallback::new(memory(), memory(), clock.clone());
    let [ann, bob] = ["ann", "bob"].map(Identity::new);
    fallback
        .last_local_decision
        .store(1, std::sync::atomic::Ordering::Relaxed);
    let debt = check(Mode::Force, charge(&ann, &BUCKET, 1_000_000_000));
    fallback.decide_locally(&debt).unwrap();
    fallback.remember_debts(debt.charges.iter().copied());
    for (identity, limit, is_fast) in [
        (&ann, &BUCKET, false),
        (&ann, &OTHER, true),
        (&bob, &BUCKET, true),
        (&bob, &OTHER, true),
    ] {
        let asked = check(Mode::Charge, charge(identity, limit, 1));
        let decided = fallback.try_decide(&asked);
        assert_eq!(decided.is_ok(), is_fast, "{identity:?} {limit:?}");
    }
}

#[test]
fn debts_without_room_count_for_every_counter_until_they_end() {
    let debts = Debts::new();
    for number in 0..=super::debts::MOST {
        let identity = Identity::new(number.to_string());
        debts.record(&Key::counter(&identity, &BUCKET), 100, 1);
    }
    let other = Identity::new("other");
    let key = Key::counter(&other, &BUCKET);
    assert!(debts.may_hold(&key, 99));
    assert!(!debts.may_hold(&key, 100));
    // Those that have ended make room.
    let identity = Identity::new("late");
    debts.record(&Key::counter(&identity, &BUCKET), 300, 200);
    assert!(!debts.may_hold(&key, 250));
    assert!(debts.may_hold(&Key::counter(&identity, &BUCKET), 250));
}

/// A charge that the store inside denies, or admits as a shadow, is none here.
#[test]
fn reservation_is_refunded_when_the_store_inside_denies() {
    let clock = Clock::Monotonic {
        epoch: HOUR,
        start: Instant::now(),
    };
    let memory = || MemoryStore::new(100, clock.clone());
    let limit = Limit::per_hour(10);
    for (limit, is_allowed) in [(limit, false), (limit.shadow(), true)] {
        let fallback = LocalFallback::new(memory(), memory(), clock.clone());
        fallback
            .last_local_decision
            .store(clock.now(), std::sync::atomic::Ordering::Relaxed);
        let ann = Identity::new("ann");
        let ask = |mode, cost| {
            let asked = [check(mode, charge(&ann, &limit, cost))];
            let decided = fallback.decide(&asked, Miss::UNASKED).now_or_never();
            decided.expect("in memory").expect("decided").remove(0)
        };
        let here = || fallback.local.peek(&charge(&ann, &limit, 1)).remaining;
        assert!(ask(Mode::Charge, 3).allowed);
        assert_eq!(here(), 7);
        // Another process uses the rest.
        let rest = check(Mode::Charge, charge(&ann, &limit, 7));
        assert!(fallback.inner().decide_one(&rest).expect("room").allowed);
        for mode in [Mode::Charge, Mode::ChargeForReceipts, Mode::Peek] {
            assert_eq!(ask(mode, 1).allowed, is_allowed, "{mode:?}");
            assert_eq!(here(), 7, "{mode:?}");
        }
    }
}
