use actix_throttle::rate_limit;
use actix_web::get;

#[get("/")]
#[rate_limit(times = 5, days = 1, time_zone = "UTC")]
async fn index() -> &'static str {
    "hello"
}

fn main() {}
