use actix_throttle::rate_limit;
use actix_web::get;

#[get("/")]
#[rate_limit(limit = "login")]
#[rate_limit(limit = "login", name = "burst")]
async fn index() -> &'static str {
    "hello"
}

fn main() {}
