//! What only a server can show: keys and their lives, scripts, connections, failures.

mod connections;
mod failures;
mod keys;
mod setup;

use std::time::Duration;

use actix_throttle::{Builder, Decision, Limit, RateLimiter};

use crate::harness::{Flavour, Server};

/// A limiter on the server's own time.
async fn limiter(server: &Server) -> RateLimiter {
    patient(server).build().await.unwrap()
}

/// With a deadline that a busy test machine does not miss.
fn patient(server: &Server) -> Builder {
    RateLimiter::builder()
        .redis_url(server.url())
        .deadline(Duration::from_secs(5))
}

async fn check(limiter: &RateLimiter, limit: &Limit) -> Decision {
    limiter.check(limit, "ann").await.unwrap()
}

fn for_every_flavour(test: impl AsyncFn(Server)) {
    for flavour in Flavour::ALL {
        crate::stores::block_on(test(Server::start(flavour)));
    }
}
