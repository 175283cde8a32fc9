use actix_throttle::concurrency_limit;
use actix_web::get;

#[get("/")]
#[concurrency_limit(max = 5, slow_after = 2)]
async fn index() -> &'static str {
    "hello"
}

fn main() {}
