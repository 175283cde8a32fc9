use actix_throttle::rate_limit;
use actix_web::get;

#[get("/")]
#[rate_limit("2/second", max_wait = "1s", max_wait = "2s")]
async fn index() -> &'static str {
    "hello"
}

fn main() {}
