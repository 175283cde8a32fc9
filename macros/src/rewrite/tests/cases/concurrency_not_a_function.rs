use actix_throttle::concurrency_limit;
use actix_web::get;

#[get("/")]
async fn index() -> &'static str {
    "hello"
}

#[concurrency_limit(max = 5)]
struct Index;

fn main() {}
