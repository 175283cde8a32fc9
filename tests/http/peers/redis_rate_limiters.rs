//! redis-rate-limiters: its semaphore and its token bucket, on Redis.

use std::{
    cell::Cell,
    future::IntoFuture,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use actix_throttle::{
    Algorithm, Concurrency, Limit, ManualClock, RateLimitError, RateLimiter, Refill, Throttle,
    concurrency_limit,
};
use actix_web::get;
use futures_util::future::join_all;

use super::Service;
use harness::{ServerVersion, http::live::status, shared, stores::unique};

/// `AsyncSemaphore(name="foo", capacity=5, max_sleep=30, expiry=30)`
const SEMAPHORE: Concurrency = Concurrency::new(5)
    .expiry(Duration::from_secs(30))
    .name("foo");

/// `AsyncTokenBucket(name="foo", capacity=5, refill_frequency=1, refill_amount=1, max_sleep=30)`
const BUCKET: Limit = Limit::per_second(1)
    .algorithm(Algorithm::TokenBucket)
    .refill(Refill::Interval)
    .capacity(5)
    .name("foo");

const MAX_SLEEP: Duration = Duration::from_secs(30);

#[actix_web::test]
async fn a_hundred_callers_share_five_permits() {
    let limiter = RateLimiter::builder()
        .redis_url(shared(ServerVersion::Redis7).url())
        .prefix(unique("permits"))
        .deadline(Duration::from_secs(10));
    let limiter = limiter.build().await.expect("a server");
    let (running, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let one = async || {
        let permits = limiter.semaphore(&SEMAPHORE, "api-token");
        let guard = permits
            .acquire()
            .max_wait(MAX_SLEEP)
            .await
            .expect("a permit");
        let now = running.fetch_add(1, Ordering::SeqCst) + 1;
        most.fetch_max(now, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(5)).await;
        running.fetch_sub(1, Ordering::SeqCst);
        drop(guard);
    };
    join_all((0..100).map(|_| one())).await;
    assert_eq!(most.load(Ordering::SeqCst), 5);
}

#[actix_web::test]
async fn the_bucket_waits_and_gives_up_after_its_longest_sleep() {
    let clock = ManualClock::new();
    let limiter = RateLimiter::builder()
        .redis_url(shared(ServerVersion::Redis7).url())
        .prefix(unique("bucket"))
        .deadline(Duration::from_secs(10))
        .clock(clock.clone());
    let limiter = limiter.build().await.expect("a server");
    for _ in 0..5 {
        limiter
            .acquire(&BUCKET, "api-token")
            .max_wait(MAX_SLEEP)
            .await
            .expect("a token");
    }
    // `MaxSleepExceededError`, at once, and without a charge.
    let late = limiter
        .acquire(&BUCKET, "api-token")
        .max_wait(Duration::from_millis(999))
        .await;
    assert!(matches!(late, Err(RateLimitError::TimedOut { .. })));
    let waits = async {
        limiter
            .acquire(&BUCKET, "api-token")
            .max_wait(MAX_SLEEP)
            .await
            .expect("a token");
    };
    let time = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        clock.advance(Duration::from_secs(1));
    };
    futures_util::future::join(waits, time).await;
    assert_eq!(
        limiter
            .remaining(&BUCKET, "api-token")
            .await
            .expect("decided"),
        0
    );
}

/// The decorator `@limit(name="foo", capacity=5)` on a function.
#[actix_web::test]
async fn functions_that_are_limited_as_a_whole() {
    let limiter = RateLimiter::builder()
        .memory()
        .build()
        .await
        .expect("valid");
    let (running, most) = (Cell::new(0), Cell::new(0));
    let fetch_foo = async |id: u32| {
        let permits = limiter.semaphore(&SEMAPHORE, "fetch_foo");
        let _permit = permits.acquire().await.expect("a permit");
        running.set(running.get() + 1);
        most.set(most.get().max(running.get()));
        tokio::time::sleep(Duration::from_millis(1)).await;
        running.set(running.get() - 1);
        id
    };
    let all = join_all((0..20).map(fetch_foo)).await;
    assert_eq!(all, (0..20).collect::<Vec<_>>());
    assert_eq!(most.get(), 5);
}

#[get("/foo")]
#[concurrency_limit(max = 5, name = "foo", identifier = global, max_wait = "30s")]
async fn foo() -> &'static str {
    "foo"
}

/// The decorator on a handler.
#[actix_web::test]
async fn handlers_that_are_limited_as_a_whole() {
    let service = Service::with(Throttle::new(), |config| {
        config.service(foo);
    })
    .await;
    let all = join_all((0..20).map(|_| service.get("/foo", &[]))).await;
    assert!(all.iter().all(|answer| status(answer) == 200));
}

/// `SyncSemaphore` and `SyncTokenBucket`: synchronous code enters a runtime.
#[test]
fn code_that_is_not_async() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let limiter = runtime.block_on(RateLimiter::builder().memory().build());
    let limiter = limiter.expect("valid");
    let permits = limiter.semaphore(&Concurrency::new(1), "foo");
    let permit = runtime.block_on(permits.acquire().into_future());
    assert!(permit.is_ok());
    assert!(
        runtime
            .block_on(permits.try_acquire())
            .expect("decided")
            .is_none()
    );
    drop(permit);
    assert!(
        runtime
            .block_on(permits.try_acquire())
            .expect("decided")
            .is_some()
    );
    let token = limiter.acquire(&BUCKET, "foo").max_wait(MAX_SLEEP);
    assert!(runtime.block_on(token.into_future()).is_ok());
}
