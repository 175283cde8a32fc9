//! Our limits, as an application writes them.
//!
//! Each is compared with peers that do the same: `window` with those on Redis, which count in fixed
//! windows, and `bucket` with actix-governor, whose GCRA is a token bucket. `log` is what the
//! attribute does by default, and what none of them offers.

use actix_throttle::rate_limit;
use actix_web::{get, web};

use super::PLENTY;

/// The most that the exact log takes; 100,000 a second is more than a worker serves.
const LOGGED: u32 = 1_000_000;

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .service((window_one, window_many, bucket_one, bucket_many))
        .service((log_one, log_many, stacked, leased, denied));
}

#[get("/window/one")]
#[rate_limit(times = PLENTY, days = 1, algorithm = "fixed_window")]
async fn window_one() -> &'static str {
    "ok"
}

#[get("/window/many")]
#[rate_limit(times = PLENTY, days = 1, algorithm = "fixed_window", identifier = header("X-Client"))]
async fn window_many() -> &'static str {
    "ok"
}

// A token comes back only after 1.4 minutes, so that keys stay in use for the whole run.
#[get("/bucket/one")]
#[rate_limit(times = 1000, days = 1, capacity = PLENTY, algorithm = "token_bucket")]
async fn bucket_one() -> &'static str {
    "ok"
}

#[get("/bucket/many")]
#[rate_limit(
    times = 1000,
    days = 1,
    capacity = PLENTY,
    algorithm = "token_bucket",
    identifier = header("X-Client"),
)]
async fn bucket_many() -> &'static str {
    "ok"
}

#[get("/log/one")]
#[rate_limit(times = LOGGED, seconds = 10)]
async fn log_one() -> &'static str {
    "ok"
}

#[get("/log/many")]
#[rate_limit(times = LOGGED, seconds = 10, identifier = header("X-Client"))]
async fn log_many() -> &'static str {
    "ok"
}

#[get("/stacked")]
#[rate_limit(times = PLENTY, days = 1, algorithm = "fixed_window")]
#[rate_limit(times = PLENTY, days = 2, algorithm = "fixed_window")]
#[rate_limit(times = PLENTY, days = 3, algorithm = "fixed_window")]
#[rate_limit(times = PLENTY, days = 4, algorithm = "fixed_window")]
#[rate_limit(times = PLENTY, days = 5, algorithm = "fixed_window")]
async fn stacked() -> &'static str {
    "ok"
}

#[get("/leased")]
#[rate_limit(times = PLENTY, days = 1, algorithm = "fixed_window", lease = 1000)]
async fn leased() -> &'static str {
    "ok"
}

/// Used up by the first request.
#[get("/denied")]
#[rate_limit(times = 1, days = 1, algorithm = "fixed_window")]
async fn denied() -> &'static str {
    "ok"
}
