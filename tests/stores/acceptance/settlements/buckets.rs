//! Buckets keep the charges that may still be settled, so that a settlement is exact whatever came
//! after the charge.

use std::time::Duration;

use actix_throttle::{Algorithm, Limit, Refill};

use super::{
    super::{SECOND, check, for_every_store, remaining, standing},
    acquire,
};
use harness::stores::{StoreFixture, until};

for_every_store!(
    refunded_part_was_there_for_later_charges,
    charges_of_one_bucket_are_settled_in_any_order,
    refills_of_a_settled_bucket_come_when_they_would_have_come,
    settlement_under_changed_numbers_goes_by_the_receipt,
    charges_beyond_those_that_are_kept_leave_the_others_exact,
    settled_charge_is_refunded_exactly,
    other_charges_of_the_counter_are_kept_in_between,
    full_bucket_keeps_its_charges_for_ten_minutes,
    settlement_of_future_charge_keeps_others_exact,
    charge_served_by_lease_is_settled_exactly,
);

/// A tenth of a second, in microseconds.
const TENTH_OF_A_SECOND: u64 = 100_000;

const TEN: Limit = Limit::new(10, Duration::from_secs(10)).algorithm(Algorithm::TokenBucket);

/// The bucket would have been full from 1 s to 3 s.
async fn refunded_part_was_there_for_later_charges(store: &StoreFixture) {
    let permit = acquire(store, &TEN.cost(5), "ann").await;
    store.advance(3 * SECOND);
    assert!(check(store, &TEN.cost(2), "ann").await.is_allowed());
    store.advance(SECOND);
    permit.settle(1).await;
    assert_eq!(standing(store, &TEN, "ann").await, (9, SECOND));
}

async fn charges_of_one_bucket_are_settled_in_any_order(store: &StoreFixture) {
    for is_first_settled_first in [true, false] {
        let first = acquire(store, &TEN.cost(1), "ann").await;
        let second = acquire(store, &TEN.cost(1), "ann").await;
        store.advance(5 * SECOND);
        assert!(check(store, &TEN.cost(3), "ann").await.is_allowed());
        let [one, other] = if is_first_settled_first {
            [first, second]
        } else {
            [second, first]
        };
        // The bucket was full for 3 s, which pays for all of the first, and for none of the second.
        one.settle(4).await;
        assert_eq!(remaining(store, &TEN, "ann").await, 7);
        other.settle(4).await;
        assert_eq!(remaining(store, &TEN, "ann").await, 4);
        store.limiter.reset(&TEN, "ann").await.unwrap();
    }
}

async fn refills_of_a_settled_bucket_come_when_they_would_have_come(store: &StoreFixture) {
    let limit = TEN.refill(Refill::Interval);
    let permit = acquire(store, &limit.cost(15).capacity(20), "ann").await;
    let limit = limit.capacity(20);
    store.advance(12 * SECOND);
    assert!(check(store, &limit.cost(2), "ann").await.is_allowed());
    // Ten tokens have come at 10 s, so the bucket was full at 12 s, and would refill at 22 s.
    permit.settle(8).await;
    assert_eq!(standing(store, &limit, "ann").await, (18, 10 * SECOND));
}

async fn settlement_under_changed_numbers_goes_by_the_receipt(store: &StoreFixture) {
    let permit = acquire(store, &TEN.cost(5), "ann").await;
    store.advance(2 * SECOND);
    let doubled = Limit::new(20, Duration::from_secs(10)).algorithm(Algorithm::TokenBucket);
    assert!(check(store, &doubled, "ann").await.is_allowed());
    // Three of the five are owed by the numbers of the charge, and none by the doubled ones.
    permit.settle(3).await;
    assert_eq!(remaining(store, &TEN, "ann").await, 10);
}

/// The ones that are not kept are settled in the bucket before the others, which stay exact.
async fn charges_beyond_those_that_are_kept_leave_the_others_exact(store: &StoreFixture) {
    let limit = Limit::new(1_000, Duration::from_secs(1_000))
        .algorithm(Algorithm::TokenBucket)
        .capacity(100_000);
    for open in [60, 65, 80] {
        let mut permits = Vec::new();
        for _ in 0..open {
            permits.push(acquire(store, &limit.cost(100), "ann").await);
            store.advance(TENTH_OF_A_SECOND);
        }
        store.advance(90 * SECOND);
        check(store, &limit.cost(300), "ann").await;
        store.advance(6 * SECOND);
        for permit in permits {
            permit.settle(1).await;
        }
        // Time has paid for all that they took, and for 6 s of the later charge.
        let (remaining, _) = standing(store, &limit, "ann").await;
        assert_eq!(remaining, 100_000 - 294, "{open} open charges");
        store.limiter.reset(&limit, "ann").await.unwrap();
    }
}

/// A refund by status may follow the settlement, when another charge has come already.
async fn settled_charge_is_refunded_exactly(store: &StoreFixture) {
    let settled = acquire(store, &TEN.cost(4), "ann").await;
    store.advance(SECOND);
    settled.settle(3).await;
    let open = acquire(store, &TEN.cost(5), "ann").await;
    store.advance(SECOND);
    settled.refund().await;
    store.advance(3 * SECOND);
    check(store, &TEN.cost(4), "ann").await;
    store.advance(2 * SECOND);
    open.settle(1).await;
    assert_eq!(remaining(store, &TEN, "ann").await, 8);
}

/// Requests without `settle` on the same counter, decided by the plain script on Redis.
async fn other_charges_of_the_counter_are_kept_in_between(store: &StoreFixture) {
    let interval = TEN.refill(Refill::Interval);
    for (limit, missing, reset) in [(TEN, 3, 3 * SECOND), (interval, 6, 7 * SECOND)] {
        let mut permits = Vec::new();
        for _ in 0..3 {
            permits.push(acquire(store, &limit.cost(2), "ann").await);
            store.advance(SECOND);
            assert!(check(store, &limit, "ann").await.is_allowed());
        }
        for permit in permits {
            permit.settle(1).await;
        }
        let expected = (10 - missing, reset);
        assert_eq!(standing(store, &limit, "ann").await, expected, "{limit:?}");
        store.limiter.reset(&limit, "ann").await.unwrap();
    }
}

async fn full_bucket_keeps_its_charges_for_ten_minutes(store: &StoreFixture) {
    let charge = async |identity| {
        let permit = acquire(store, &TEN.cost(1), identity).await;
        assert!(check(store, &TEN, identity).await.is_allowed());
        permit
    };
    let (ann, bob) = (charge("ann").await, charge("bob").await);
    store.advance(601 * SECOND);
    ann.settle(700).await;
    assert_eq!(standing(store, &TEN, "ann").await, (0, 100 * SECOND));
    store.advance(2 * SECOND);
    // Redis may keep it longer, and then counts the other charge, too.
    bob.settle(702).await;
    let (_, reset) = standing(store, &TEN, "bob").await;
    assert!([99 * SECOND, 100 * SECOND].contains(&reset), "{reset}");
}

/// The clock steps back to before the charge that is settled, which then changes nothing.
async fn settlement_of_future_charge_keeps_others_exact(store: &StoreFixture) {
    let first = acquire(store, &TEN.cost(5), "ann").await;
    store.advance(3 * SECOND);
    let second = acquire(store, &TEN.cost(2), "ann").await;
    let charged = store.clock.now();
    store.clock.set(charged - Duration::from_secs(1));
    second.settle(1).await;
    store.clock.set(charged);
    assert_eq!(remaining(store, &TEN, "ann").await, 6);
    store.advance(2 * SECOND);
    // At a cost of 1, the bucket would have been full until the second charge.
    first.settle(1).await;
    assert_eq!(remaining(store, &TEN, "ann").await, 10);
}

/// The bucket would have been full from 1 s to 3 s. Leases take part of it on Redis, and return
/// what they do not serve.
async fn charge_served_by_lease_is_settled_exactly(store: &StoreFixture) {
    let leased = TEN.lease(4);
    let has_left = async |expected| {
        until("unused leases are returned", async || {
            remaining(store, &leased, "ann").await == expected
        })
        .await;
    };
    let mut permits = Vec::new();
    for _ in 0..5 {
        permits.push(acquire(store, &leased.cost(1), "ann").await);
        // Lets a lease arrive that the request has asked for.
        has_left(10 - u32::try_from(permits.len()).unwrap()).await;
    }
    store.advance(3 * SECOND);
    has_left(8).await;
    assert!(check(store, &leased.cost(2), "ann").await.is_allowed());
    store.advance(SECOND);
    has_left(7).await;
    for permit in &permits[1..] {
        permit.settle(0).await;
    }
    has_left(9).await;
    permits[0].settle(3).await;
    // Three tokens at 0 s, and two at 3 s.
    has_left(9).await;
    store.advance(SECOND);
    has_left(10).await;
}
