use actix_throttle::rate_limit;
use actix_web::get;

#[get("/")]
#[rate_limit(limit = "5/minute")]
async fn index() -> &'static str {
    "hello"
}

fn main() {}
