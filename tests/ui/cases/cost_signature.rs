use actix_throttle::rate_limit;
use actix_web::{HttpRequest, get};

fn cost_of(_: &HttpRequest) -> i64 {
    2
}

#[get("/")]
#[rate_limit("2/second", cost = cost_of)]
async fn index() -> &'static str {
    "hello"
}

fn main() {}
