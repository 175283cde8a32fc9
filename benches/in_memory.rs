//! Measures one decision of the in-memory store for each algorithm, next to `governor`'s keyed
//! limiter.
//!
//! Run it with `benches/run --micro`. All requests are admitted: denials are cheaper in both
//! crates.

use std::{
    future::Future,
    net::{IpAddr, Ipv4Addr},
    num::NonZeroU32,
    pin::pin,
    sync::atomic::{AtomicU32, Ordering},
    task::{Context, Poll, Waker},
    time::Duration,
};

use actix_throttle::{Algorithm, Identity, Limit, RateLimiter, Refill};
use divan::{Bencher, black_box};

#[derive(Clone, Copy, Debug)]
enum Way {
    SlidingWindow,
    SlidingWindowCounter,
    FixedWindow,
    TokenBucketGreedy,
    TokenBucketInterval,
    /// Only with many keys: a leaky bucket never admits two requests of one key in a microsecond.
    LeakyBucket,
}

use self::Way::{
    FixedWindow, LeakyBucket, SlidingWindow, SlidingWindowCounter, TokenBucketGreedy,
    TokenBucketInterval,
};

const WAYS: [Way; 6] = [
    SlidingWindow,
    SlidingWindowCounter,
    FixedWindow,
    TokenBucketGreedy,
    TokenBucketInterval,
    LeakyBucket,
];
/// One hot identity, and many identities.
const KEYS: [u32; 2] = [1, 100_000];
const THREADS: [usize; 2] = [1, 2];
/// Decisions for each sample: one decision is shorter than the clock's resolution.
const SAMPLE: u32 = 1000;
/// More than a benchmark uses, and within the bounds of both crates.
const PLENTY: u32 = 1_000_000_000;

fn main() {
    divan::main();
}

/// Returns the address of the next request.
fn client(count: &AtomicU32, keys: u32) -> IpAddr {
    let index = count.fetch_add(1, Ordering::Relaxed) % keys;
    IpAddr::V4(Ipv4Addr::from(index | 0x0a00_0000))
}

/// Polls once: the in-memory store never waits.
fn now<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}

/// Returns a limit that denies nothing, with state that outlives the time between two decisions.
fn limit(way: Way) -> Limit {
    let bucket = Limit::per_day(1000)
        .algorithm(Algorithm::TokenBucket)
        .capacity(PLENTY);
    match way {
        // The short window keeps the log at a realistic size.
        SlidingWindow => Limit::new(1_000_000, Duration::from_millis(1)),
        SlidingWindowCounter => Limit::per_day(PLENTY).algorithm(Algorithm::SlidingWindowCounter),
        FixedWindow => Limit::per_day(PLENTY).algorithm(Algorithm::FixedWindow),
        TokenBucketGreedy => bucket,
        TokenBucketInterval => bucket.refill(Refill::Interval),
        // The interval is shorter than 100,000 decisions take.
        LeakyBucket => Limit::per_second(1000).algorithm(Algorithm::LeakyBucket),
    }
}

fn throttle(bencher: Bencher<'_, '_>, way: Way, keys: u32) {
    let limiter = now(RateLimiter::builder().memory().build()).and_then(Result::ok);
    let Some(limiter) = limiter else { return };
    let (limit, count) = (limit(way), AtomicU32::new(0));
    let decide = || now(limiter.check(&limit, Identity::ip(client(&count, keys))));
    // Create all keys before the measurement.
    (0..keys).for_each(|_| {
        black_box(decide());
    });
    bencher.bench(decide);
}

#[divan::bench(args = WAYS[..5].iter().copied(), threads = THREADS, sample_size = SAMPLE)]
fn throttle_one_key(bencher: Bencher<'_, '_>, way: Way) {
    throttle(bencher, way, KEYS[0]);
}

#[divan::bench(args = WAYS, threads = THREADS, sample_size = SAMPLE)]
fn throttle_many_keys(bencher: Bencher<'_, '_>, way: Way) {
    throttle(bencher, way, KEYS[1]);
}

#[divan::bench(args = KEYS, threads = THREADS, sample_size = SAMPLE)]
fn governor(bencher: Bencher<'_, '_>, keys: u32) {
    let Some((quota, plenty)) =
        governor::Quota::with_period(Duration::from_millis(1)).zip(NonZeroU32::new(PLENTY))
    else {
        return;
    };
    let limiter = governor::RateLimiter::dashmap(quota.allow_burst(plenty));
    let count = AtomicU32::new(0);
    let decide = || black_box(limiter.check_key(&client(&count, keys)).is_ok());
    (0..keys).for_each(|_| {
        black_box(decide());
    });
    bencher.bench(decide);
}
