use actix_throttle::concurrency_limit;
use actix_web::get;

#[get("/")]
#[concurrency_limit(max = 1_000_001)]
async fn index() -> &'static str {
    "hello"
}

fn main() {}
