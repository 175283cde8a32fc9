use actix_throttle::rate_limit;
use actix_web::get;

#[get("/")]
#[rate_limit("100/second", lease = 1)]
async fn index() -> &'static str {
    "hello"
}

fn main() {}
