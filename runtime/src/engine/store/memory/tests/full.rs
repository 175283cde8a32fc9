//! Tests of a full in-memory store: what it evicts, and what it never does.

use std::time::Duration;

use actix_throttle_core::{
    check::{Charge, Charges, Check, Mode, Outcome},
    decide::Precedence,
    failure_mode::FailureMode,
    identity::Identity,
    key::Key,
    limit::{Algorithm, Concurrency, Limit, LimitRef, PermitId},
    time::to_micros,
};

use super::{
    super::{Full, MemoryStore},
    ask, clock_at, len,
};

const START: u64 = 1_000_000;
const KEYS: usize = 1_000;
const FLOOD: usize = 20 * KEYS;
const TWO: Concurrency = Concurrency::new(2).expiry(Duration::from_secs(60));

fn store() -> MemoryStore {
    MemoryStore::new(KEYS, clock_at(START))
}

/// Charges each key of a flood of invented ones once.
fn flood(store: &MemoryStore, limit: &Limit) {
    for index in 0..FLOOD {
        ask(store, &format!("invented{index}"), limit);
    }
}

fn rate<'a>(identity: &'a Identity, limit: &'a Limit) -> Charge<'a> {
    Charge {
        key: Key::counter(identity, limit),
        limit: limit.into(),
        cost: 1,
        failure_mode: FailureMode::Open,
    }
}

fn permit(identity: &Identity, permit_id: u64) -> Charge<'_> {
    Charge {
        key: Key::permits(identity, &TWO),
        limit: LimitRef::Concurrency(&TWO, PermitId(permit_id)),
        cost: 1,
        failure_mode: FailureMode::Open,
    }
}

fn decide<'a>(
    store: &MemoryStore,
    mode: Mode<'static>,
    charges: impl IntoIterator<Item = Charge<'a>>,
) -> Result<Outcome, Full> {
    let charges: Charges<'_> = charges.into_iter().collect();
    store.decide_one(&Check { mode, charges })
}

/// Fills the store with blocks, which cannot be evicted.
fn fill(store: &MemoryStore, length: Duration) {
    let limit = Limit::per_day(1).zone("blocks");
    for index in 0..KEYS {
        let blocked = Identity::new(format!("blocked{index}"));
        let key = Key::counter(&blocked, &limit).block();
        store
            .start_block(&key, to_micros(length), Precedence::Latest)
            .unwrap();
    }
    assert_eq!(len(store), KEYS);
}

#[test]
fn running_permits_outlive_a_flood_of_other_keys() {
    let store = store();
    let ann = Identity::new("ann");
    for permit_id in [1, 2] {
        let taken = decide(&store, Mode::Charge, [permit(&ann, permit_id)]);
        assert!(taken.unwrap().allowed);
    }
    flood(&store, &Limit::per_day(10));
    assert!(
        !decide(&store, Mode::Charge, [permit(&ann, 3)])
            .unwrap()
            .allowed
    );
    // The permits can be renewed.
    let renewed = decide(&store, Mode::Renew, [permit(&ann, 1)]).unwrap();
    assert_eq!(
        renewed.verdicts[0].wait,
        actix_throttle_core::algorithm::Wait::None
    );
}

#[test]
fn blocks_outlive_a_flood_of_other_keys() {
    let store = store();
    let limit = Limit::per_second(1).block(Duration::from_secs(30));
    assert!(ask(&store, "ann", &limit).allowed);
    assert!(ask(&store, "ann", &limit).verdicts[0].blocked);
    flood(&store, &Limit::per_day(10).zone("flood"));
    assert!(ask(&store, "ann", &limit).verdicts[0].blocked);
}

#[test]
fn used_up_counters_outlive_fresh_ones_of_longer_windows() {
    let store = store();
    for algorithm in [
        Algorithm::SlidingWindow,
        Algorithm::FixedWindow,
        Algorithm::TokenBucket,
        Algorithm::LeakyBucket,
    ] {
        // The flood has a longer window: by expiry alone, the used-up counter would be evicted.
        let limit = Limit::per_hour(4).algorithm(algorithm);
        for _ in 0..4 {
            ask(&store, "mallory", &limit);
        }
        assert!(!ask(&store, "mallory", &limit).allowed, "{algorithm}");
        flood(&store, &Limit::per_day(4).zone("flood"));
        assert!(!ask(&store, "mallory", &limit).allowed, "{algorithm}");
    }
}

#[test]
fn much_used_counters_outlive_little_used_ones() {
    let store = store();
    let limit = Limit::per_hour(16).algorithm(Algorithm::FixedWindow);
    for _ in 0..15 {
        ask(&store, "mallory", &limit);
    }
    flood(&store, &Limit::per_day(16).zone("flood"));
    assert_eq!(ask(&store, "mallory", &limit).verdicts[0].remaining, 0);
}

#[test]
fn full_store_that_cannot_evict_decides_known_keys_only() {
    let mut store = store();
    let limit = Limit::per_day(1);
    let known = Identity::new("known");
    assert!(ask(&store, "known", &limit).allowed);
    let ann = Identity::new("ann");
    assert!(
        decide(&store, Mode::Charge, [permit(&ann, 1)])
            .unwrap()
            .allowed
    );
    for index in 0..KEYS - 2 {
        let key = Identity::new(format!("blocked{index}"));
        let key = Key::counter(&key, &limit).block();
        store
            .start_block(&key, to_micros(Duration::from_secs(60)), Precedence::Latest)
            .unwrap();
    }
    // Existing keys are still counted.
    assert!(!ask(&store, "known", &limit).allowed);
    assert!(
        decide(&store, Mode::Charge, [permit(&ann, 2)])
            .unwrap()
            .allowed
    );
    // A block evicts the counter; after that nothing can be evicted.
    let last = Key::counter(&known, &limit).block();
    store
        .start_block(
            &last,
            to_micros(Duration::from_secs(60)),
            Precedence::Latest,
        )
        .unwrap();
    let bob = Identity::new("bob");
    assert_eq!(
        decide(&store, Mode::Charge, [rate(&bob, &limit)]),
        Err(Full)
    );
    assert_eq!(decide(&store, Mode::Charge, [permit(&bob, 3)]), Err(Full));
    assert!(
        !decide(&store, Mode::Charge, [permit(&ann, 4)])
            .unwrap()
            .allowed
    );
    // A peek needs no room.
    assert!(
        decide(&store, Mode::Peek, [rate(&bob, &limit)])
            .unwrap()
            .allowed
    );
    assert_eq!(len(&store), KEYS);
    // The store has room for as many keys again once the entries have expired.
    store.clock = clock_at(START + to_micros(Duration::from_secs(3_600)));
    for index in 0..KEYS {
        let taken = ask(&store, &format!("new{index}"), &Limit::per_day(2));
        assert!(taken.allowed);
    }
}

#[test]
fn check_without_room_for_all_of_it_takes_nothing() {
    let store = store();
    let (ann, bob) = (Identity::new("ann"), Identity::new("bob"));
    let limit = Limit::per_day(5);
    fill(&store, Duration::from_secs(60));
    assert_eq!(
        decide(&store, Mode::Charge, [permit(&ann, 1), rate(&bob, &limit)]),
        Err(Full)
    );
    // One key fits, but not two.
    let (blocked, blocks) = (Identity::new("blocked7"), Limit::per_day(1).zone("blocks"));
    let key = Key::counter(&blocked, &blocks).block();
    let (hash, mut shard) = store.lock_one(&key);
    shard.delete(hash.fingerprint);
    drop(shard);
    let both = [permit(&ann, 1), rate(&bob, &limit)];
    assert_eq!(decide(&store, Mode::Charge, both), Err(Full));
    assert_eq!(len(&store), KEYS - 1);
    // A denial by an existing counter needs no room.
    let denied = limit.cost(9);
    let costly = Charge {
        cost: 9,
        ..rate(&bob, &denied)
    };
    assert!(
        !decide(&store, Mode::Charge, [permit(&ann, 1), costly])
            .unwrap()
            .allowed
    );
    assert!(
        decide(&store, Mode::Charge, [rate(&bob, &limit)])
            .unwrap()
            .allowed
    );
}

#[test]
fn shadow_limit_without_room_is_peeked_at() {
    let store = store();
    fill(&store, Duration::from_secs(60));
    let ann = Identity::new("ann");
    let (limit, two) = (Limit::per_day(5).shadow(), TWO.shadow());
    let permit = Charge {
        limit: LimitRef::Concurrency(&two, PermitId(1)),
        ..permit(&ann, 1)
    };
    for (charge, remaining) in [(rate(&ann, &limit), 5), (permit, 2)] {
        // The decision on one charge in a single step, and that on any check.
        for mode in [Mode::Charge, Mode::ChargeForReceipts] {
            let outcome = decide(&store, mode, [charge]).unwrap();
            assert!(outcome.allowed);
            assert_eq!(outcome.verdicts[0].remaining, remaining);
        }
    }
    assert_eq!(len(&store), KEYS);
}
