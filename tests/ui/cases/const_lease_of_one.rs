use actix_throttle::rate_limit;
use actix_web::get;

const ONE: u32 = 1;

#[get("/")]
#[rate_limit("100/second", lease = ONE)]
async fn index() -> &'static str {
    "hello"
}

fn main() {}
