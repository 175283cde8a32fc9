use actix_throttle::{concurrency_limit, rate_limit};
use actix_web::get;

#[get("/")]
#[rate_limit("2/second")]
#[concurrency_limit = 5]
async fn index() -> &'static str {
    "hello"
}

fn main() {}
