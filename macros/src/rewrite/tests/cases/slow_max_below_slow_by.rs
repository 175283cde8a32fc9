use actix_throttle::rate_limit;
use actix_web::get;

#[get("/")]
#[rate_limit("100/minute", slow_after = 50, slow_by = "2s", slow_max = "1s")]
async fn index() -> &'static str {
    "hello"
}

fn main() {}
