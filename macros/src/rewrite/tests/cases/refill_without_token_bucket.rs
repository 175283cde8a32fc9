use actix_throttle::rate_limit;
use actix_web::get;

#[get("/")]
#[rate_limit("2/second", algorithm = "fixed_window", refill = "interval")]
async fn index() -> &'static str {
    "hello"
}

fn main() {}
