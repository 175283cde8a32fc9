use actix_throttle::concurrency_limit;
use actix_web::get;

#[get("/")]
#[concurrency_limit(times = 5)]
async fn index() -> &'static str {
    "hello"
}

fn main() {}
