use actix_throttle::rate_limit;
use actix_web::get;

#[get("/")]
#[rate_limit(limit = 2, period = 5)]
async fn index() -> &'static str {
    "hello"
}

fn main() {}
