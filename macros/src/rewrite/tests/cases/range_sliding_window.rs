use actix_throttle::rate_limit;
use actix_web::get;

#[get("/")]
#[rate_limit("2_000_000/day")]
async fn index() -> &'static str {
    "hello"
}

fn main() {}
