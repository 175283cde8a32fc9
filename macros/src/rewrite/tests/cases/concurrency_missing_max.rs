use actix_throttle::concurrency_limit;
use actix_web::get;

#[get("/")]
#[concurrency_limit(expiry = "30s")]
async fn index() -> &'static str {
    "hello"
}

fn main() {}
