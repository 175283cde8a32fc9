use actix_throttle::{Identity, Limit, rate_limit};
use actix_web::{HttpRequest, get};

fn by_plan(_: &HttpRequest) -> Option<Limit> {
    None
}

async fn by_group(_: &HttpRequest, _: &Identity) -> u32 {
    5
}

#[get("/one")]
#[rate_limit("2/second", dynamic = by_plan)]
async fn one() -> &'static str {
    "hello"
}

#[get("/two")]
#[rate_limit("2/second", dynamic = by_group)]
async fn two() -> &'static str {
    "hello"
}

fn main() {}
