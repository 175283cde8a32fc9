//! One decision of the embedded store, an algorithm each, beside `governor`'s keyed limiter.
//!
//! `cargo bench -p benches --bench embedded`. All are admitted: denials are cheaper for everyone.

use std::{
    future::Future,
    net::{IpAddr, Ipv4Addr},
    num::NonZeroU32,
    pin::pin,
    sync::atomic::{AtomicU32, Ordering},
    task::{Context, Poll, Waker},
    time::Duration,
};

use actix_throttle::{Algorithm, Identity, Limit, RateLimiter};
use divan::{Bencher, black_box};

const ALGORITHMS: [Algorithm; 4] = [
    Algorithm::SlidingWindowCounter,
    Algorithm::FixedWindow,
    Algorithm::TokenBucket,
    Algorithm::SlidingWindow,
];
/// One hot identity, and many.
const KEYS: [u32; 2] = [1, 100_000];
const THREADS: [usize; 2] = [1, 2];

fn main() {
    divan::main();
}

/// The address of the next request.
fn client(count: &AtomicU32, keys: u32) -> IpAddr {
    let index = count.fetch_add(1, Ordering::Relaxed) % keys;
    IpAddr::V4(Ipv4Addr::from(index | 0x0a00_0000))
}

/// The embedded store never waits.
fn now<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}

/// Wide enough that nothing is denied; the log is held to a size that a real one has.
fn limit(algorithm: Algorithm) -> Limit {
    match algorithm {
        Algorithm::SlidingWindow => Limit::new(1_000_000, Duration::from_millis(1)),
        other => Limit::per_second(1_000_000).algorithm(other),
    }
}

fn throttle(bencher: Bencher<'_, '_>, algorithm: Algorithm, keys: u32) {
    let limiter = now(RateLimiter::builder().memory().build()).and_then(Result::ok);
    let Some(limiter) = limiter else { return };
    let (limit, count) = (limit(algorithm), AtomicU32::new(0));
    bencher.bench(|| now(limiter.check(&limit, Identity::ip(client(&count, keys)))));
}

#[divan::bench(args = ALGORITHMS, threads = THREADS)]
fn throttle_one_key(bencher: Bencher<'_, '_>, algorithm: Algorithm) {
    throttle(bencher, algorithm, KEYS[0]);
}

#[divan::bench(args = ALGORITHMS, threads = THREADS)]
fn throttle_many_keys(bencher: Bencher<'_, '_>, algorithm: Algorithm) {
    throttle(bencher, algorithm, KEYS[1]);
}

#[divan::bench(args = KEYS, threads = THREADS)]
fn governor(bencher: Bencher<'_, '_>, keys: u32) {
    let quota = governor::Quota::per_second(NonZeroU32::MAX);
    let limiter = governor::RateLimiter::dashmap(quota);
    let count = AtomicU32::new(0);
    bencher.bench(|| black_box(limiter.check_key(&client(&count, keys)).is_ok()));
}
