use actix_throttle::rate_limit;
use actix_web::get;

#[get("/")]
#[rate_limit(unlimited)]
async fn index() -> &'static str {
    "hello"
}

fn main() {}
