use actix_throttle::rate_limit;
use actix_web::get;

#[get("/")]
#[rate_limit(max = 5, seconds = 1)]
async fn index() -> &'static str {
    "hello"
}

fn main() {}
