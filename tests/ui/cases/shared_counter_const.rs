use actix_throttle::rate_limit;
use actix_web::get;

const MINUTE: u32 = 60;

#[get("/")]
#[rate_limit(times = 2, minutes = 1)]
#[rate_limit(times = 5, seconds = MINUTE)]
async fn index() -> &'static str {
    "hello"
}

fn main() {}
