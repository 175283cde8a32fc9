//! Tests that only Redis can show: keys and their expiry, scripts, connections, failures.

mod bulk;
mod calendar;
mod cluster;
mod concurrency;
mod connections;
mod credentials;
mod crowd;
mod denials;
mod failures;
mod keys;
mod long_logs;
mod migrating;
mod migrating_lost;
mod migrating_repeats;
mod observed;
mod plain;
mod reconnecting;
mod sentinel;
mod setup;
mod startup;
mod startup_check;
mod startup_log;
mod stored_values;
mod tls;
mod urls;

use std::time::{Duration, Instant};

use actix_throttle::{Builder, Decision, FailureMode, InitError, Limit, RateLimiter};

use harness::{Server, ServerVersion, stores::block_on};

/// The commands that the guide grants to a user whose limits are decided.
const DECIDING: [&str; 19] = [
    "+evalsha",
    "+eval",
    "+time",
    "+mget",
    "+set",
    "+setrange",
    "+del",
    "+llen",
    "+lindex",
    "+lrange",
    "+lpush",
    "+ltrim",
    "+pexpire",
    "+zadd",
    "+zcount",
    "+zrange",
    "+zrem",
    "+zremrangebyscore",
    "+zscore",
];

/// A limiter that uses the clock of the server.
async fn limiter(server: &Server) -> RateLimiter {
    patient(server).build().await.unwrap()
}

fn build(url: impl Into<String>) -> Result<RateLimiter, InitError> {
    block_on(RateLimiter::builder().redis_url(url).build())
}

/// A builder with a deadline that a busy test machine meets.
fn patient(server: &Server) -> Builder {
    RateLimiter::builder()
        .redis_url(server.url())
        .deadline(Duration::from_secs(5))
        .failure_mode(FailureMode::Closed)
        // The circuit breaker has tests of its own.
        .failure_threshold(u32::MAX)
}

async fn check(limiter: &RateLimiter, limit: &Limit) -> Decision {
    limiter.check(limit, "ann").await.unwrap()
}

/// Checks until there is a decision, which is when the connection is restored.
async fn until_decided(limiter: &RateLimiter, limit: &Limit, within: Duration) -> Decision {
    let bound = Instant::now() + within;
    loop {
        match limiter.check(limit, "ann").await {
            Ok(decision) => return decision,
            Err(error) => assert!(Instant::now() < bound, "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// The number of clients of the server, without the one that asks.
fn clients(server: &Server) -> usize {
    let list: String = server.cli(&["CLIENT", "LIST", "TYPE", "normal"]);
    list.lines().count() - 1
}

fn for_every_version(test: impl AsyncFn(Server)) {
    for version in ServerVersion::ALL {
        block_on(test(Server::start(version)));
    }
}
