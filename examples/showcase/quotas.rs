//! Limits that last: a quota of the calendar.

use actix_throttle::rate_limit;
use actix_web::{get, web};

/// Five in each month of UTC.
#[get("/month")]
#[rate_limit(times = 5, every = "month")]
async fn month() -> &'static str {
    "ok"
}

pub(crate) fn routes(config: &mut web::ServiceConfig) {
    config.service(month);
}
