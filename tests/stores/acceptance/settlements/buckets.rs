//! Buckets keep the charges that may still be settled, so that a settlement is exact whatever came
//! after the charge.

use std::time::Duration;

use actix_throttle::{Algorithm, Limit, Refill};

use super::{
    super::{SECOND, check, for_every_store, remaining, standing},
    acquire,
};
use harness::stores::StoreFixture;

for_every_store!(
    refunded_part_was_there_for_later_charges,
    charges_of_one_bucket_are_settled_in_any_order,
    refills_of_a_settled_bucket_come_when_they_would_have_come,
    settlement_under_changed_numbers_goes_by_the_receipt,
    charge_that_is_not_kept_goes_by_its_receipt,
    full_bucket_keeps_its_charges_for_ten_minutes,
);

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

async fn charge_that_is_not_kept_goes_by_its_receipt(store: &StoreFixture) {
    let limit = Limit::new(1000, Duration::from_secs(1000)).algorithm(Algorithm::TokenBucket);
    let permit = acquire(store, &limit.cost(5), "ann").await;
    store.advance(3 * SECOND);
    let mut later = Vec::new();
    for _ in 0..64 {
        later.push(acquire(store, &limit.cost(2), "ann").await);
    }
    store.advance(SECOND);
    assert_eq!(remaining(store, &limit, "ann").await, 1000 - (5 + 128 - 4));
    // One of the five would still be owed if nothing had been charged since. Three are missing.
    permit.settle(1).await;
    assert_eq!(remaining(store, &limit, "ann").await, 872);
    for permit in later {
        permit.settle(1).await;
    }
    assert_eq!(remaining(store, &limit, "ann").await, 872 + 64);
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
