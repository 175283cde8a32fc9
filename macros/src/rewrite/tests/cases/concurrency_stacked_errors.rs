use actix_throttle::{concurrency_limit, rate_limit};
use actix_web::get;

#[get("/")]
#[rate_limit(times = 0, seconds = 1)]
#[concurrency_limit(max = 5, expiry = "x")]
#[rate_limit("2/second", max_wait = "0s")]
async fn index() -> &'static str {
    "hello"
}

fn main() {}
