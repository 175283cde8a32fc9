use actix_throttle::rate_limit;
use actix_web::get;

#[get("/")]
#[rate_limit(times = 2_000, milliseconds = 1, algorithm = "leaky_bucket")]
async fn index() -> &'static str {
    "hello"
}

fn main() {}
