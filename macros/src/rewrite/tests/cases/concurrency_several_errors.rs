use actix_throttle::concurrency_limit;
use actix_web::get;

#[get("/")]
#[concurrency_limit(max = 0, expiry = "0s", max_wait = "soon", cost = 2)]
async fn index() -> &'static str {
    "hello"
}

fn main() {}
