use actix_throttle::rate_limit;
use actix_web::get;

const MANY: usize = 5;

#[get("/")]
#[rate_limit(times = MANY, seconds = 5)]
async fn index() -> &'static str {
    "hello"
}

fn main() {}
