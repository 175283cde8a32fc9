use actix_throttle::rate_limit;
use actix_web::get;

#[get("/")]
#[rate_limit(times = 0, seconds = 1)]
#[rate_limit(times = 5, minutes = 0)]
#[rate_limit]
async fn index() -> &'static str {
    "hello"
}

fn main() {}
