use actix_throttle::concurrency_limit;
use actix_web::get;

#[get("/")]
#[concurrency_limit("5/second")]
async fn index() -> &'static str {
    "hello"
}

fn main() {}
