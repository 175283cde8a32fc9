use actix_throttle::rate_limit;
use actix_web::get;

const NONE: u32 = 0;

#[get("/")]
#[rate_limit(times = NONE, seconds = 5)]
async fn index() -> &'static str {
    "hello"
}

fn main() {}
