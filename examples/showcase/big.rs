//! One large limit for each algorithm, each with a counter of its own.

use actix_throttle::rate_limit;
use actix_web::{get, web};

#[get("/big/fixed_window")]
#[rate_limit(times = 1000, seconds = 60, algorithm = "fixed_window")]
async fn fixed_window() -> &'static str {
    "ok"
}

#[get("/big/sliding_window")]
#[rate_limit(times = 1000, seconds = 60, algorithm = "sliding_window")]
async fn sliding_window() -> &'static str {
    "ok"
}

#[get("/big/sliding_window_counter")]
#[rate_limit(times = 1000, seconds = 60, algorithm = "sliding_window_counter")]
async fn sliding_window_counter() -> &'static str {
    "ok"
}

#[get("/big/token_bucket")]
#[rate_limit(times = 1000, seconds = 60, algorithm = "token_bucket")]
async fn token_bucket() -> &'static str {
    "ok"
}

#[get("/big/leaky_bucket")]
#[rate_limit(times = 1000, seconds = 60, algorithm = "leaky_bucket")]
async fn leaky_bucket() -> &'static str {
    "ok"
}

pub(crate) fn routes(config: &mut web::ServiceConfig) {
    config.service((
        fixed_window,
        sliding_window,
        sliding_window_counter,
        token_bucket,
        leaky_bucket,
    ));
}
