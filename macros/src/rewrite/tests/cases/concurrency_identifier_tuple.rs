use actix_throttle::concurrency_limit;
use actix_web::get;

#[get("/")]
#[concurrency_limit(max = 2, identifier = (ip, ip))]
async fn index() -> &'static str {
    "hello"
}

fn main() {}
