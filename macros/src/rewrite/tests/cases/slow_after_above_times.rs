use actix_throttle::rate_limit;
use actix_web::get;

#[get("/")]
#[rate_limit("100/minute", slow_after = 100, slow_by = "200ms", slow_max = "5s")]
async fn index() -> &'static str {
    "hello"
}

fn main() {}
