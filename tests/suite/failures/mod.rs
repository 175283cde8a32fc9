//! Servers that fail under load, in every way that servers do, and come back.

mod answers;
mod attempts;
mod circuit;
mod clients;
mod cluster;
mod commands;
mod full;
mod half;
mod incidents;
mod local;
mod memory;
mod modes;
mod network;
mod outage;
mod places;
mod processes;
mod scene;
mod sentinel;
mod server;
mod several;
mod slots;
mod tally;
mod watch;
mod workers;

use std::time::Duration;

use actix_throttle::{Builder, RateLimiter, RedisPool};

use crate::harness::Server;

/// Short, so that tests are.
const DEADLINE: Duration = Duration::from_millis(100);
const RECOVERY: Duration = Duration::from_millis(400);

/// Starts the server again, and waits until that it was gone is no news any more: only then is a
/// link in a hurry to reach it.
async fn revive(server: &mut Server) {
    server.restart();
    tokio::time::sleep(Duration::from_millis(150)).await;
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

/// Does what blocks on a thread where it holds up no client.
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
