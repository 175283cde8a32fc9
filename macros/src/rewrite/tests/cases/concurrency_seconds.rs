use actix_throttle::concurrency_limit;
use actix_web::get;

#[get("/")]
#[concurrency_limit(max = 5, seconds = 5)]
async fn index() -> &'static str {
    "hello"
}

fn main() {}
