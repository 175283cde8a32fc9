use actix_throttle::rate_limit;
use actix_web::get;

#[get("/")]
#[rate_limit("2/second")]
#[cfg_attr(all(), rate_limit(times = 0, seconds = 5))]
async fn index() -> &'static str {
    "hello"
}

fn main() {}
