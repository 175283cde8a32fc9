use actix_throttle::rate_limit;
use actix_web::get;

#[get("/")]
#[rate_limit(times = 5, every = "day")]
#[rate_limit(times = 9, every = "day", time_zone = "UTC")]
async fn index() -> &'static str {
    "hello"
}

fn main() {}
