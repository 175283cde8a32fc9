use actix_throttle::rate_limit;
use actix_web::get;

#[get("/")]
#[rate_limit("100/minute", slow_after = 50, slow_by = "200ms", slow_max = "long")]
async fn index() -> &'static str {
    "hello"
}

fn main() {}
