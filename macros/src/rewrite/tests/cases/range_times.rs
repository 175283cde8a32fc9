use actix_throttle::rate_limit;
use actix_web::get;

#[get("/")]
#[rate_limit(times = 1_000_000_001, seconds = 5, algorithm = "fixed_window")]
async fn index() -> &'static str {
    "hello"
}

fn main() {}
