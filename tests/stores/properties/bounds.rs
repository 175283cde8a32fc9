//! Floods of requests, as fast as a limit's own waits allow: never more than it promises, nor less.

use std::time::Duration;

use actix_throttle::{Algorithm, ChargedForTest, Limit};

use super::micros;
use harness::stores::{StoreFixture, StoreKind, block_on};

/// The most admissions in any half-open interval of `window` microseconds.
fn most_in_any(window: u64, admissions: &[u64]) -> usize {
    let ends = admissions.iter().map(|start| {
        let end = admissions.partition_point(|at| *at < start + window);
        end - admissions.partition_point(|at| at < start)
    });
    ends.max().unwrap_or(0)
}

/// Sends requests as fast as the limit's own waits allow, for `until` microseconds; returns the
/// times of the admissions.
async fn flood(limit: &Limit, until: u64) -> Vec<u64> {
    let store = StoreFixture::new(StoreKind::Memory).await;
    let start = micros(store.clock.now());
    let mut admissions = Vec::new();
    loop {
        let now = micros(store.clock.now()) - start;
        if now >= until {
            return admissions;
        }
        let decision = store.limiter.check(limit, "flood").await.unwrap();
        match decision.retry_after() {
            None => admissions.push(now),
            Some(wait) => store.advance(micros(wait)),
        }
    }
}

#[test]
fn no_interval_holds_more_than_the_algorithm_allows() {
    let limits = [
        (Limit::per_second(3), 40 * 1_000_000),
        (Limit::new(7, Duration::from_millis(13)), 2_000_000),
        (
            Limit::new(999, Duration::from_secs(3600)),
            3 * 3_600_000_000,
        ),
    ];
    for (limit, until) in limits {
        let times = limit.times() as usize;
        let window = limit.window_micros();
        for (algorithm, most) in [
            (Algorithm::SlidingWindow, times),
            (Algorithm::FixedWindow, 2 * times),
            // The capacity at once, and the tokens that a window gains.
            (Algorithm::TokenBucket, 2 * times),
            (Algorithm::LeakyBucket, times),
        ] {
            let limit = limit.algorithm(algorithm);
            let admissions = block_on(flood(&limit, until));
            let found = most_in_any(window, &admissions);
            assert!(found <= most, "{limit:?}: {found}");
            // The promised rate is reached.
            let promised = usize::try_from(until / window).unwrap() * times;
            assert!(
                admissions.len() >= promised,
                "{limit:?}: {}",
                admissions.len()
            );
        }
    }
}

#[test]
fn rate_of_fractional_microseconds_is_exact() {
    let hour = 3_600_000_000;
    let limit = Limit::per_hour(999_999);
    for algorithm in [Algorithm::SlidingWindow, Algorithm::LeakyBucket] {
        let limit = limit.algorithm(algorithm);
        let admissions = block_on(flood(&limit, hour + hour / 50));
        assert_eq!(most_in_any(hour, &admissions), 999_999, "{algorithm}");
    }
    // A rate of 600 a second stays 600, and 700,000 a second (1.43 µs each) stays 700,000.
    for times in [600, 700_000] {
        let limit = Limit::per_second(times).algorithm(Algorithm::LeakyBucket);
        let admissions = block_on(flood(&limit, 1_000_000));
        assert_eq!(admissions.len(), times as usize);
    }
}

/// Half of the admissions are refunded a little later, as by a handler that fails: the other half
/// stays within the limit.
#[test]
fn unrefunded_requests_stay_within_the_limit() {
    for (algorithm, most) in [
        (Algorithm::SlidingWindow, 20),
        (Algorithm::FixedWindow, 2 * 20),
        (Algorithm::TokenBucket, 2 * 20),
        (Algorithm::LeakyBucket, 20),
    ] {
        let limit = Limit::per_second(20).algorithm(algorithm);
        let kept = block_on(flood_with_refunds(&limit, 10_000_000));
        for (from, _) in kept.iter().enumerate() {
            let window = kept[from..]
                .iter()
                .take_while(|at| **at < kept[from] + 1_000_000);
            assert!(window.count() <= most, "{limit:?}");
        }
        assert!(kept.len() >= 10 * 20 / 2, "{limit:?}: {}", kept.len());
    }
}

async fn flood_with_refunds(limit: &Limit, until: u64) -> Vec<u64> {
    let store = StoreFixture::new(StoreKind::Memory).await;
    let start = micros(store.clock.now());
    let mut kept = Vec::new();
    let mut failing: Vec<(u64, ChargedForTest)> = Vec::new();
    let mut admitted = 0;
    loop {
        let now = micros(store.clock.now()) - start;
        if now >= until {
            return kept;
        }
        let due = failing.partition_point(|(at, _)| *at <= now);
        for (_, taken) in failing.drain(..due) {
            store.limiter.refund_charged(taken).await.unwrap();
        }
        let (decision, taken) = store
            .limiter
            .check_with_receipts(&[(limit, "flood")])
            .await
            .unwrap();
        if !decision.is_allowed() {
            store.advance(1_000);
            continue;
        }
        admitted += 1;
        if admitted % 2 == 0 {
            kept.push(now);
        } else {
            failing.push((now + 7_000, taken));
        }
    }
}
