//! Settlements of charges, by example; `properties::settlements` has random ones.

use std::time::Duration;

use actix_throttle::{Algorithm, Limit, Outgoing, Period, Permit, Refill, outgoing};

use super::{SECOND, admitted_at_once, check, every_algorithm, for_every_store, wait};
use harness::stores::StoreFixture;

for_every_store!(
    a_settlement_right_away_counts_as_the_charge,
    a_window_in_debt_admits_at_its_end,
    a_bucket_in_debt_admits_when_it_is_paid,
    a_debt_is_not_cut_to_the_capacity,
    an_old_debt_is_cut_to_a_lowered_capacity,
    a_log_holds_more_than_its_limit,
    an_interval_bucket_pays_its_debt_by_refills,
    a_full_bucket_has_paid_for_a_part,
    a_settlement_after_the_window_has_no_effect,
    a_settlement_after_a_reset_has_no_effect,
    a_settlement_leaves_a_block_as_it_is,
    a_settlement_ends_a_cached_denial,
    a_settlement_happens_once,
    a_refund_gives_back_what_was_settled,
    an_estimate_of_nothing_is_charged_when_settled,
    the_largest_costs_are_settled,
    only_limits_with_a_cost_are_settled,
    several_limits_are_settled_together,
    an_outbound_call_is_settled,
    a_leased_limit_is_settled,
    a_calendar_window_is_in_debt_until_its_end,
);

async fn acquire(store: &StoreFixture, limit: &Limit, identity: &str) -> Permit {
    let acquired = store.limiter.acquire(limit, identity);
    acquired.max_wait(Duration::ZERO).await.unwrap()
}

async fn remaining(store: &StoreFixture, limit: &Limit, identity: &str) -> u32 {
    store.limiter.remaining(limit, identity).await.unwrap()
}

/// The remaining quota, and the time until the whole quota is available.
async fn standing(store: &StoreFixture, limit: &Limit, identity: &str) -> (u32, u64) {
    let peeked = store.limiter.peek(limit, identity).await.unwrap();
    let status = &peeked.limits()[0];
    let reset = status.reset_after().as_micros();
    (status.remaining(), u64::try_from(reset).unwrap())
}

async fn a_settlement_right_away_counts_as_the_charge(store: &StoreFixture) {
    for limit in every_algorithm(10, 60) {
        for (from, to) in [(4, 7), (7, 4), (4, 4), (4, 10), (10, 1), (3, 0)] {
            let identity = &format!("settled {from} at {to}");
            let known = &format!("known {to}");
            let permit = acquire(store, &limit.cost(from), identity).await;
            assert!(permit.settle(to).await);
            if to > 0 {
                check(store, &limit.cost(to), known).await;
            }
            let expected = standing(store, &limit, known).await;
            assert_eq!(
                standing(store, &limit, identity).await,
                expected,
                "{limit:?} {from} {to}"
            );
            if limit.kind() != Algorithm::LeakyBucket {
                let more = admitted_at_once(store, &limit, identity, 20).await;
                assert_eq!(more, 10 - to, "{limit:?}");
            }
            store.limiter.reset(&limit, known).await.unwrap();
        }
    }
}

async fn a_window_in_debt_admits_at_its_end(store: &StoreFixture) {
    for algorithm in [Algorithm::FixedWindow, Algorithm::SlidingWindow] {
        let limit = Limit::per_minute(10).algorithm(algorithm);
        let permit = acquire(store, &limit.cost(2), "ann").await;
        store.advance(20 * SECOND);
        check(store, &limit.cost(5), "ann").await;
        permit.settle(35).await;
        assert_eq!(standing(store, &limit, "ann").await.0, 0);
        assert_eq!(wait(store, &limit, "ann").await, 40 * SECOND, "{limit:?}");
        store.advance(40 * SECOND - 1);
        assert!(!check(store, &limit, "ann").await.is_allowed());
        store.advance(1);
        let left = if algorithm == Algorithm::SlidingWindow {
            5
        } else {
            10
        };
        assert_eq!(remaining(store, &limit, "ann").await, left, "{limit:?}");
        assert!(check(store, &limit, "ann").await.is_allowed());
        store.limiter.reset(&limit, "ann").await.unwrap();
    }
    // The counter's previous window weighs less and less.
    let limit = Limit::per_minute(10).algorithm(Algorithm::SlidingWindowCounter);
    let permit = acquire(store, &limit.cost(2), "bob").await;
    permit.settle(40).await;
    let wait = wait(store, &limit, "bob").await;
    store.advance(wait - 1);
    assert!(!check(store, &limit, "bob").await.is_allowed());
    store.advance(1);
    assert!(check(store, &limit, "bob").await.is_allowed());
}

async fn a_bucket_in_debt_admits_when_it_is_paid(store: &StoreFixture) {
    let limit = Limit::new(100, Duration::from_secs(100)).algorithm(Algorithm::TokenBucket);
    let permit = acquire(store, &limit.cost(10), "ann").await;
    permit.settle(150).await;
    assert_eq!(standing(store, &limit, "ann").await, (0, 150 * SECOND));
    assert_eq!(wait(store, &limit, "ann").await, 51 * SECOND);
    assert_eq!(wait(store, &limit.cost(30), "ann").await, 80 * SECOND);
    store.advance(51 * SECOND - 1);
    assert!(!check(store, &limit, "ann").await.is_allowed());
    store.advance(1);
    assert!(check(store, &limit, "ann").await.is_allowed());
    assert!(!check(store, &limit, "ann").await.is_allowed());
    assert_eq!(standing(store, &limit, "ann").await, (0, 100 * SECOND));

    let limit = Limit::per_second(1).algorithm(Algorithm::LeakyBucket);
    let permit = acquire(store, &limit, "bob").await;
    permit.settle(30).await;
    assert_eq!(standing(store, &limit, "bob").await, (0, 30 * SECOND));
    assert_eq!(wait(store, &limit, "bob").await, 30 * SECOND);
    store.advance(30 * SECOND);
    assert!(check(store, &limit, "bob").await.is_allowed());
}

/// Two settlements beyond the capacity, and one that gives back, with requests in between.
async fn a_debt_is_not_cut_to_the_capacity(store: &StoreFixture) {
    let limit = Limit::new(10, Duration::from_secs(10)).algorithm(Algorithm::TokenBucket);
    let first = acquire(store, &limit.cost(2), "ann").await;
    let second = acquire(store, &limit.cost(2), "ann").await;
    let third = acquire(store, &limit.cost(6), "ann").await;
    store.advance(SECOND);
    first.settle(22).await;
    assert!(!check(store, &limit, "ann").await.is_allowed());
    store.advance(SECOND);
    second.settle(102).await;
    assert!(!check(store, &limit, "ann").await.is_allowed());
    assert_eq!(standing(store, &limit, "ann").await, (0, 128 * SECOND));
    store.advance(SECOND);
    third.settle(1).await;
    assert_eq!(standing(store, &limit, "ann").await, (0, 122 * SECOND));
    store.advance(112 * SECOND);
    assert_eq!(standing(store, &limit, "ann").await, (0, 10 * SECOND));
    store.advance(SECOND);
    assert!(check(store, &limit, "ann").await.is_allowed());
}

async fn an_old_debt_is_cut_to_a_lowered_capacity(store: &StoreFixture) {
    let limit = Limit::new(10, Duration::from_secs(10)).algorithm(Algorithm::TokenBucket);
    check(store, &limit.capacity(1_000).cost(900), "ann").await;
    assert_eq!(standing(store, &limit, "ann").await, (0, 10 * SECOND));
    // A debt that was settled is owed under any capacity.
    let permit = acquire(store, &limit.cost(1), "bob").await;
    permit.settle(25).await;
    assert_eq!(
        standing(store, &limit.capacity(5), "bob").await,
        (0, 25 * SECOND)
    );
    assert_eq!(
        standing(store, &limit.capacity(50), "bob").await,
        (25, 25 * SECOND)
    );
}

async fn a_log_holds_more_than_its_limit(store: &StoreFixture) {
    let limit = Limit::new(5, Duration::from_secs(10));
    let mut permits = Vec::new();
    for _ in 0..5 {
        permits.push(acquire(store, &limit, "ann").await);
        store.advance(SECOND);
    }
    // Admissions at 0, 1, 2, 3 and 4 s; it is 5 s now.
    permits.remove(3).settle(4).await;
    permits.remove(1).settle(1_000_000_000).await;
    assert_eq!(standing(store, &limit, "ann").await, (0, 9 * SECOND));
    // 2 s leave at 12 s, and 3 s with its four at 13 s.
    assert_eq!(wait(store, &limit, "ann").await, 8 * SECOND);
    assert_eq!(wait(store, &limit.cost(4), "ann").await, 8 * SECOND);
    assert_eq!(wait(store, &limit.cost(5), "ann").await, 9 * SECOND);
    store.advance(6 * SECOND);
    assert!(!check(store, &limit, "ann").await.is_allowed());
    store.advance(2 * SECOND);
    assert_eq!(remaining(store, &limit, "ann").await, 4);
    assert!(check(store, &limit.cost(4), "ann").await.is_allowed());
}

async fn an_interval_bucket_pays_its_debt_by_refills(store: &StoreFixture) {
    let limit = Limit::new(5, Duration::from_secs(10))
        .algorithm(Algorithm::TokenBucket)
        .refill(Refill::Interval)
        .capacity(20);
    let permit = acquire(store, &limit.cost(1), "ann").await;
    store.advance(4 * SECOND);
    permit.settle(41).await;
    assert_eq!(standing(store, &limit, "ann").await, (0, 86 * SECOND));
    // 41 are missing: after five refills 16, which is room for four.
    assert_eq!(wait(store, &limit, "ann").await, 46 * SECOND);
    store.advance(46 * SECOND - 1);
    assert!(!check(store, &limit, "ann").await.is_allowed());
    store.advance(1);
    assert_eq!(remaining(store, &limit, "ann").await, 4);
}

async fn a_full_bucket_has_paid_for_a_part(store: &StoreFixture) {
    let limit = Limit::new(100, Duration::from_secs(100)).algorithm(Algorithm::TokenBucket);
    // Nothing else was charged: the bucket has forgotten the charge.
    let permit = acquire(store, &limit.cost(1), "ann").await;
    store.advance(20 * SECOND);
    permit.settle(50).await;
    assert_eq!(standing(store, &limit, "ann").await, (70, 30 * SECOND));
    // Another charge came once the bucket was full again.
    let permit = acquire(store, &limit.cost(1), "bob").await;
    store.advance(15 * SECOND);
    check(store, &limit.cost(3), "bob").await;
    store.advance(SECOND);
    permit.settle(50).await;
    assert_eq!(standing(store, &limit, "bob").await, (63, 37 * SECOND));
    // The bucket was never full, so time has paid for nothing.
    let permit = acquire(store, &limit.cost(10), "carl").await;
    for _ in 0..10 {
        store.advance(10 * SECOND);
        check(store, &limit.cost(11), "carl").await;
    }
    permit.settle(30).await;
    assert_eq!(standing(store, &limit, "carl").await, (60, 40 * SECOND));
}

async fn a_settlement_after_the_window_has_no_effect(store: &StoreFixture) {
    for limit in every_algorithm(5, 10) {
        let permit = acquire(store, &limit.cost(3), "ann").await;
        store.advance(30 * SECOND);
        check(store, &limit.cost(2), "ann").await;
        let before = standing(store, &limit, "ann").await;
        permit.settle(8).await;
        assert_eq!(standing(store, &limit, "ann").await, before, "{limit:?}");
    }
}

async fn a_settlement_after_a_reset_has_no_effect(store: &StoreFixture) {
    for limit in every_algorithm(10, 60) {
        let whole = standing(store, &limit, "ann").await;
        for to in [0, 1, 500] {
            let permit = acquire(store, &limit.cost(4), "ann").await;
            store.limiter.reset(&limit, "ann").await.unwrap();
            permit.settle(to).await;
            assert_eq!(standing(store, &limit, "ann").await, whole, "{limit:?}");
        }
    }
}

async fn a_settlement_leaves_a_block_as_it_is(store: &StoreFixture) {
    let limit = Limit::per_second(2).block(Duration::from_secs(60));
    let permit = acquire(store, &limit, "ann").await;
    check(store, &limit, "ann").await;
    assert!(!check(store, &limit, "ann").await.is_allowed());
    permit.settle(0).await;
    assert_eq!(wait(store, &limit, "ann").await, 60 * SECOND);
    let permit = acquire(store, &limit, "bob").await;
    permit.settle(100).await;
    let peeked = store.limiter.peek(&limit, "bob").await.unwrap();
    assert!(!peeked.limits()[0].is_blocked());
}

async fn a_settlement_ends_a_cached_denial(store: &StoreFixture) {
    for limit in every_algorithm(10, 60) {
        let permit = acquire(store, &limit.cost(10), "ann").await;
        for _ in 0..3 {
            assert!(!check(store, &limit, "ann").await.is_allowed());
        }
        permit.settle(0).await;
        let permit = acquire(store, &limit.cost(10), "ann").await;
        let before = check(store, &limit, "ann").await.retry_after();
        permit.settle(40).await;
        // The wait may be longer now, and is never the cached one.
        let after = check(store, &limit, "ann").await.retry_after();
        let peeked = store.limiter.peek(&limit, "ann").await.unwrap();
        assert_eq!(after, peeked.retry_after(), "{limit:?}");
        assert!(after >= before, "{limit:?}");
    }
}

async fn a_settlement_happens_once(store: &StoreFixture) {
    let limit = Limit::per_minute(10);
    let permit = acquire(store, &limit.cost(2), "ann").await;
    assert!(permit.settle(5).await);
    assert!(!permit.settle(9).await);
    assert_eq!(remaining(store, &limit, "ann").await, 5);
    drop(permit);
    assert_eq!(remaining(store, &limit, "ann").await, 5);
    // Unsettled, the estimate stands.
    drop(acquire(store, &limit.cost(2), "ann").await);
    assert_eq!(remaining(store, &limit, "ann").await, 3);
}

async fn a_refund_gives_back_what_was_settled(store: &StoreFixture) {
    for limit in every_algorithm(10, 60) {
        let whole = standing(store, &limit, "ann").await;
        for to in [1, 6, 30] {
            let permit = acquire(store, &limit.cost(4), "ann").await;
            permit.settle(to).await;
            assert!(permit.refund().await);
            assert_eq!(
                standing(store, &limit, "ann").await,
                whole,
                "{limit:?} {to}"
            );
        }
    }
}

async fn an_estimate_of_nothing_is_charged_when_settled(store: &StoreFixture) {
    for limit in every_algorithm(10, 60) {
        let whole = standing(store, &limit, "ann").await;
        let permit = acquire(store, &limit.cost(0), "ann").await;
        assert_eq!(standing(store, &limit, "ann").await, whole);
        assert!(permit.settle(25).await);
        let (left, reset) = standing(store, &limit, "ann").await;
        assert_eq!(left, 0, "{limit:?}");
        assert!(reset > 0, "{limit:?}");
        assert!(!check(store, &limit, "ann").await.is_allowed());
        assert!(permit.refund().await);
        assert_eq!(standing(store, &limit, "ann").await, whole, "{limit:?}");
        // Settled at nothing, nothing is charged.
        assert!(acquire(store, &limit.cost(0), "ann").await.settle(0).await);
        assert_eq!(standing(store, &limit, "ann").await, whole);
    }
}

async fn the_largest_costs_are_settled(store: &StoreFixture) {
    for limit in every_algorithm(1_000, 60) {
        let first = acquire(store, &limit.cost(1), "ann").await;
        if limit.kind() == Algorithm::LeakyBucket {
            store.advance(60_000);
        }
        let second = acquire(store, &limit.cost(999), "ann").await;
        first.settle(u32::MAX).await;
        second.settle(u32::MAX).await;
        let (left, reset) = standing(store, &limit, "ann").await;
        assert_eq!(left, 0, "{limit:?}");
        let windows = [
            Algorithm::SlidingWindow,
            Algorithm::FixedWindow,
            Algorithm::SlidingWindowCounter,
        ];
        if windows.contains(&limit.kind()) {
            assert!(reset <= 120 * SECOND, "{limit:?}: {reset}");
            store.advance(121 * SECOND);
            assert_eq!(remaining(store, &limit, "ann").await, 1_000, "{limit:?}");
        } else {
            // 2^32 tokens at most, at a thousand a minute.
            assert!(
                reset <= (1 << 32) * 60_000 + 60 * SECOND,
                "{limit:?}: {reset}"
            );
        }
        first.refund().await;
        second.refund().await;
    }
}

async fn only_limits_with_a_cost_are_settled(store: &StoreFixture) {
    let tokens = Limit::per_minute(100).cost(10).zone("tokens");
    let requests = Limit::per_minute(5).zone("requests");
    let permit = store
        .limiter
        .acquire_all([(&tokens, "ann"), (&requests, "ann")]);
    let permit = permit.await.unwrap();
    permit.settle(30).await;
    assert_eq!(remaining(store, &tokens, "ann").await, 70);
    assert_eq!(remaining(store, &requests, "ann").await, 4);
    permit.refund().await;
    assert_eq!(remaining(store, &tokens, "ann").await, 100);
    assert_eq!(remaining(store, &requests, "ann").await, 5);
}

/// Of two identities, and so of two slots of a cluster.
async fn several_limits_are_settled_together(store: &StoreFixture) {
    let limits = every_algorithm(100, 60).map(|limit| limit.cost(5));
    let checks: Vec<_> = limits
        .iter()
        .flat_map(|limit| [(limit, "ann"), (limit, "bob")])
        .collect();
    let permit = store.limiter.acquire_all(checks.clone()).await.unwrap();
    permit.settle(20).await;
    for (limit, identity) in checks {
        let left = if limit.kind() == Algorithm::LeakyBucket {
            0
        } else {
            80
        };
        assert_eq!(remaining(store, limit, identity).await, left, "{limit:?}");
    }
}

async fn an_outbound_call_is_settled(store: &StoreFixture) {
    let tokens = Limit::per_minute(100)
        .cost(10)
        .name("tokens")
        .zone("tokens");
    let calls = Limit::per_minute(5).name("calls").zone("calls");
    let outgoing = Outgoing::new(&store.limiter).limit(tokens).limit(calls);
    let call = outgoing::Request::new("POST", "models.example", "/chat");
    let permit = outgoing.acquire(&call).await.unwrap();
    permit.settle(42).await;
    permit.completed(outgoing::Response::new(200)).await;
    assert_eq!(remaining(store, &tokens, "models.example").await, 58);
    assert_eq!(remaining(store, &calls, "models.example").await, 4);
}

async fn a_leased_limit_is_settled(store: &StoreFixture) {
    let limit = Limit::per_minute(1_000)
        .algorithm(Algorithm::FixedWindow)
        .lease(50);
    let mut permits = Vec::new();
    for _ in 0..20 {
        permits.push(acquire(store, &limit.cost(2), "ann").await);
    }
    for permit in &permits {
        assert!(permit.settle(5).await);
    }
    // What is leased and not used counts at the store as well, and is shown without the lease.
    let plain = Limit::per_minute(1_000).algorithm(Algorithm::FixedWindow);
    let left = remaining(store, &plain, "ann").await;
    assert!((850..=900).contains(&left), "{left}");
}

async fn a_calendar_window_is_in_debt_until_its_end(store: &StoreFixture) {
    let limit = Limit::every(Period::Month, 5);
    let permit = acquire(store, &limit, "ann").await;
    permit.settle(40).await;
    let (left, reset) = standing(store, &limit, "ann").await;
    assert_eq!(left, 0);
    assert_eq!(wait(store, &limit, "ann").await, reset);
    store.advance(reset);
    assert_eq!(remaining(store, &limit, "ann").await, 5);
}
