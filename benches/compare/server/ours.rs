//! The limits of this crate, as an application writes them.
//!
//! Each is compared with limiters that do the same work: `window` with those on Redis, which count
//! in fixed windows, and `bucket` with actix-governor, whose GCRA is a token bucket. `log` is this
//! crate's default algorithm, which no other limiter here offers.

use actix_throttle::rate_limit;
use actix_web::{Resource, web};

use super::PLENTY;
use crate::case::PATH;

/// Largest limit of the exact log; 100,000 a second is more than a worker serves.
const LOGGED: u32 = 1_000_000;

/// Returns the limited resource of a service, if its name begins with `stem`. It is a bare resource
/// like those of the other limiters: a scope around it would cost as much as a limiter.
pub(super) fn resource(service: &str, stem: &str) -> Option<Resource> {
    let resource = web::resource(PATH);
    Some(match service.strip_prefix(stem)? {
        "/window/one" => resource.get(window_one),
        "/window/many" => resource.get(window_many),
        "/bucket/one" => resource.get(bucket_one),
        "/bucket/many" => resource.get(bucket_many),
        "/log/one" => resource.get(log_one),
        "/log/many" => resource.get(log_many),
        "/counter/many" => resource.get(counter_many),
        "/leaky/many" => resource.get(leaky_many),
        "/stacked" => resource.get(stacked),
        "/leased" => resource.get(leased),
        "/denied" => resource.get(denied),
        _ => return None,
    })
}

#[rate_limit(times = PLENTY, days = 1, algorithm = "fixed_window")]
async fn window_one() -> &'static str {
    "ok"
}

#[rate_limit(times = PLENTY, days = 1, algorithm = "fixed_window", identifier = header("X-Client"))]
async fn window_many() -> &'static str {
    "ok"
}

// A token returns only after 1.4 minutes, so that keys stay in use for the whole run.
#[rate_limit(times = 1000, days = 1, capacity = PLENTY, algorithm = "token_bucket")]
async fn bucket_one() -> &'static str {
    "ok"
}

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

#[rate_limit(times = LOGGED, seconds = 10)]
async fn log_one() -> &'static str {
    "ok"
}

#[rate_limit(times = LOGGED, seconds = 10, identifier = header("X-Client"))]
async fn log_many() -> &'static str {
    "ok"
}

#[rate_limit(
    times = PLENTY,
    days = 1,
    algorithm = "sliding_window_counter",
    identifier = header("X-Client"),
)]
async fn counter_many() -> &'static str {
    "ok"
}

// One request in ten microseconds a client is more than a client sends.
#[rate_limit(times = 100_000, seconds = 1, algorithm = "leaky_bucket", identifier = header("X-Client"))]
async fn leaky_many() -> &'static str {
    "ok"
}

#[rate_limit(times = PLENTY, days = 1, algorithm = "fixed_window")]
#[rate_limit(times = PLENTY, days = 2, algorithm = "fixed_window")]
#[rate_limit(times = PLENTY, days = 3, algorithm = "fixed_window")]
#[rate_limit(times = PLENTY, days = 4, algorithm = "fixed_window")]
#[rate_limit(times = PLENTY, days = 5, algorithm = "fixed_window")]
async fn stacked() -> &'static str {
    "ok"
}

#[rate_limit(times = PLENTY, days = 1, algorithm = "fixed_window", lease = 1000)]
async fn leased() -> &'static str {
    "ok"
}

/// A limit that the first request uses up.
#[rate_limit(times = 1, days = 1, algorithm = "fixed_window")]
async fn denied() -> &'static str {
    "ok"
}
