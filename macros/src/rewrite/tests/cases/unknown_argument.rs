use actix_throttle::rate_limit;
use actix_web::get;

#[get("/")]
#[rate_limit(tiems = 2, seconds = 5)]
async fn index() -> &'static str {
    "hello"
}

fn main() {}
