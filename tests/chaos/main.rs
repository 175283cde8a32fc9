//! Redis servers, clusters and networks that fail under load and come back.

mod attempts;
mod circuit;
mod clients;
mod cluster;
mod commands;
mod concurrency;
mod full;
mod half;
mod local;
mod memory;
mod modes;
mod network;
mod outage;
mod outage_scenario;
mod processes;
mod replies;
mod sentinel;
mod server;
mod settled;
mod several;
mod slots;
mod status_counts;
mod stays_on;
mod watch;
mod workers;

use std::time::Duration;

use actix_throttle::{Builder, Limit, RateLimiter, RedisPool};

use harness::{Server, eventually_async};

/// A short deadline keeps the tests short.
const DEADLINE: Duration = Duration::from_millis(100);
const RECOVERY: Duration = Duration::from_millis(400);
/// The longest pause of the backoff, one connection attempt, and what a busy machine adds.
const REVIVED: Duration = Duration::from_secs(6);

/// Restarts the server and waits until it decides for all these limiters.
async fn revive(server: &mut Server, limiters: &[RateLimiter]) {
    server.restart();
    let limit = Limit::per_day(1_000_000).name("revive");
    for limiter in limiters {
        eventually_async("the server decides", REVIVED, async || {
            let peeked = limiter.peek(&limit, "revive").await;
            peeked.is_ok_and(|decision| !decision.is_fallback())
        })
        .await;
    }
}

fn builder(url: impl Into<String>) -> Builder {
    RateLimiter::builder()
        .redis_url(url)
        .deadline(DEADLINE)
        .recovery_timeout(RECOVERY)
}

async fn limiter(pool: impl Into<RedisPool>) -> RateLimiter {
    let builder = RateLimiter::builder().redis(pool);
    let builder = builder.deadline(DEADLINE).recovery_timeout(RECOVERY);
    builder.build().await.unwrap()
}

/// Runs blocking work on another thread, where it delays no client.
async fn apart<T: Send + 'static, R: Send + 'static>(
    mut thing: T,
    work: impl FnOnce(&mut T) -> R + Send + 'static,
) -> (T, R) {
    let work = move || {
        let outcome = work(&mut thing);
        (thing, outcome)
    };
    actix_web::rt::task::spawn_blocking(work)
        .await
        .expect("what the harness does works")
}
