use actix_throttle::concurrency_limit;
use actix_web::get;

#[get("/")]
#[concurrency_limit(max = 5)]
#[concurrency_limit(max = 6, expiry = "5s")]
async fn index() -> &'static str {
    "hello"
}

fn main() {}
