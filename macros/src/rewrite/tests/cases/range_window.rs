use actix_throttle::rate_limit;
use actix_web::get;

#[get("/")]
#[rate_limit(times = 2, days = 366, seconds = 1)]
async fn index() -> &'static str {
    "hello"
}

fn main() {}
