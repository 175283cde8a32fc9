use actix_throttle::rate_limit;
use actix_web::get;

#[get("/")]
#[rate_limit(times = 5, every = "month", algorithm = "token_bucket", capacity = 10)]
async fn index() -> &'static str {
    "hello"
}

fn main() {}
