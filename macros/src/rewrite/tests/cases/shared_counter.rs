use actix_throttle::rate_limit;
use actix_web::get;

#[get("/")]
#[rate_limit("2/second")]
#[rate_limit(times = 5, milliseconds = 1_000)]
async fn index() -> &'static str {
    "hello"
}

fn main() {}
