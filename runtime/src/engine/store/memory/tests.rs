//! Tests of the in-memory store: its bound on keys, refunds, leases, and checks that span shards.

mod bulk;
mod ended_blocks;
mod full;
#[cfg(feature = "test-util")]
mod replay;

use std::{sync::Arc, thread, time::Instant};

use actix_throttle_core::{
    check::{Charge, Check, Mode, Outcome},
    failure_mode::FailureMode,
    identity::Identity,
    key::Key,
    limit::{Algorithm, Limit},
    time::{Micros, to_micros},
};
use smallvec::smallvec;

use super::MemoryStore;
use crate::engine::clock::Clock;

/// Returns a clock set to `now`, without the feature `test-util` that gives users a manual clock.
fn clock_at(now: Micros) -> Clock {
    // Real time passes during a test too, but far less than the windows used here.
    Clock::Monotonic {
        epoch: now,
        start: Instant::now(),
    }
}

fn ask(store: &MemoryStore, identity: &str, limit: &Limit) -> Outcome {
    let identity = Identity::new(identity);
    let charge = Charge {
        key: Key::counter(&identity, limit),
        limit: limit.into(),
        cost: 1,
        failure_mode: FailureMode::Open,
    };
    let check = Check {
        mode: Mode::Charge,
        charges: smallvec![charge],
    };
    store.decide_one(&check).unwrap()
}

fn len(store: &MemoryStore) -> usize {
    store.shards.iter().map(|shard| shard.lock().len()).sum()
}

#[test]
fn keys_are_bounded() {
    for bound in [1, 10, 1_000, 5_000, 100_000] {
        let store = MemoryStore::new(bound, clock_at(1_000_000));
        let limit = Limit::per_day(10).algorithm(Algorithm::FixedWindow);
        for index in 0..2 * bound {
            assert!(ask(&store, &index.to_string(), &limit).allowed);
        }
        assert!(len(&store) <= bound, "{} of {bound}", len(&store));
        assert!(len(&store) > bound / 2, "{} of {bound}", len(&store));
    }
}

#[test]
fn a_full_store_forgets_what_expires_soonest() {
    let store = MemoryStore::new(1_000, clock_at(1_000_000));
    let long = Limit::per_day(1);
    let short = Limit::per_hour(1).zone("short");
    for index in 0..100 {
        assert!(ask(&store, &format!("kept{index}"), &long).allowed);
    }
    for index in 0..10_000 {
        ask(&store, &index.to_string(), &short);
    }
    let kept = (0..100).filter(|index| !ask(&store, &format!("kept{index}"), &long).allowed);
    // An entry is lost only where all eight entries of a sample are long-lived.
    assert!(kept.count() > 90);
}

#[test]
fn expired_keys_go_with_the_traffic() {
    let mut store = MemoryStore::new(100_000, clock_at(1_000_000));
    let limit = Limit::per_hour(1_000).algorithm(Algorithm::TokenBucket);
    for index in 0..20_000 {
        ask(&store, &index.to_string(), &limit);
    }
    assert!(len(&store) > 10_000);
    store.clock = clock_at(1_000_000 + to_micros(std::time::Duration::from_secs(7200)));
    // Each charge examines a few entries, so these charges cover the whole store.
    for index in 0..20_000 {
        ask(&store, &(index % 1_000).to_string(), &limit);
    }
    assert!(len(&store) < 5_000, "{}", len(&store));
}

#[test]
fn a_refund_leaves_nothing_empty_and_brings_nothing_back() {
    let mut store = MemoryStore::new(1_000, clock_at(1_000_000));
    let limit = Limit::per_hour(10).algorithm(Algorithm::FixedWindow);
    let identity = Identity::new("ann");
    let ask = |store: &MemoryStore, mode: Mode<'_>| {
        let charge = Charge {
            key: Key::counter(&identity, &limit),
            limit: (&limit).into(),
            cost: 2,
            failure_mode: FailureMode::Open,
        };
        let check = Check {
            mode,
            charges: smallvec![charge],
        };
        store.decide_one(&check).unwrap()
    };
    let first = ask(&store, Mode::ChargeForReceipts).receipts;
    let second = ask(&store, Mode::ChargeForReceipts).receipts;
    assert_eq!(ask(&store, Mode::Charge).receipts, []);
    assert!(ask(&store, Mode::Refund(&first)).receipts.is_empty());
    assert_eq!(len(&store), 1);
    for _ in 0..2 {
        ask(&store, Mode::Refund(&second));
    }
    assert_eq!(len(&store), 0);
    ask(&store, Mode::Refund(&second));
    assert_eq!(len(&store), 0);
    // An expired entry stays absent, even before a sweep has dropped it.
    let third = ask(&store, Mode::ChargeForReceipts).receipts;
    store.clock = clock_at(1_000_000 + 2 * limit.window_micros());
    let outcome = ask(&store, Mode::Refund(&third));
    assert!(outcome.allowed);
    assert_eq!(outcome.verdicts[0].remaining, 10);
}

#[test]
fn limits_across_shards_are_charged_together() {
    let store = Arc::new(MemoryStore::new(1_000_000, clock_at(1_000_000)));
    let limit = Limit::per_day(1_000);
    // Pairs in both orders, over many shards and from many threads: the count is exact, and there
    // is no deadlock.
    let threads: Vec<_> = (0..4)
        .map(|thread| {
            let store = Arc::clone(&store);
            thread::spawn(move || {
                let mut admitted = 0;
                for round in 0..4_000 {
                    let (one, other) = (Identity::new("one"), Identity::new("other"));
                    let pair = if (round + thread) % 2 == 0 {
                        [&one, &other]
                    } else {
                        [&other, &one]
                    };
                    let charges = pair.into_iter().map(|identity| Charge {
                        key: Key::counter(identity, &limit),
                        limit: (&limit).into(),
                        cost: 1,
                        failure_mode: FailureMode::Open,
                    });
                    let check = Check {
                        mode: Mode::Charge,
                        charges: charges.collect(),
                    };
                    let outcome = store.decide_one(&check).unwrap();
                    admitted += u32::from(outcome.allowed);
                }
                admitted
            })
        })
        .collect();
    let admitted = threads.into_iter().map(|thread| thread.join().unwrap());
    assert_eq!(admitted.sum::<u32>(), 1_000);
}

#[test]
fn a_state_is_a_few_words() {
    // The size of an entry with its fingerprint, expiry and worth: what a million of them cost.
    assert!(size_of::<actix_throttle_core::algorithm::State>() <= 24);
    assert!(
        size_of::<crate::engine::store::expiring_table::Entry<actix_throttle_core::algorithm::State>>(
        ) <= 48
    );
}

#[test]
fn a_lease_is_a_quarter_of_what_remains_and_opens_no_window() {
    let store = MemoryStore::new(1_000, clock_at(1_000_000));
    let identity = Identity::new("ann");
    for (algorithm, first) in [
        (Algorithm::FixedWindow, None),
        (Algorithm::SlidingWindow, Some(25)),
    ] {
        let limit = Limit::per_day(100).algorithm(algorithm);
        let lease = |cost| {
            let charge = Charge {
                key: Key::counter(&identity, &limit),
                limit: (&limit).into(),
                cost,
                failure_mode: FailureMode::Open,
            };
            let check = Check {
                mode: Mode::Lease,
                charges: smallvec![charge],
            };
            let outcome = store.decide_one(&check).unwrap();
            assert!(outcome.allowed);
            outcome.receipts[0].map(|receipt| receipt.taken)
        };
        assert_eq!(lease(50), first);
        assert!(ask(&store, "ann", &limit).allowed);
        let left = 99 - first.unwrap_or(0);
        assert_eq!(lease(50), Some(left / 4));
        assert_eq!(lease(5), Some(5));
    }
}
