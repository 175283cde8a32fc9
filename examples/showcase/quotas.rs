//! Limits that last: a quota of the calendar, and blocks that get longer.

use actix_throttle::rate_limit;
use actix_web::{get, web};

/// Five requests are admitted in each month of UTC.
#[get("/month")]
#[rate_limit(times = 5, every = "month")]
async fn month() -> &'static str {
    "ok"
}

/// A client that exceeds the limit is blocked for a second, and from then on for three.
#[get("/escalate")]
#[rate_limit(times = 1, seconds = 1, block = "1s, 3s")]
async fn escalate() -> &'static str {
    "ok"
}

pub(crate) fn routes(config: &mut web::ServiceConfig) {
    config.service((month, escalate));
}
