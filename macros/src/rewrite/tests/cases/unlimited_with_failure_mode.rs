use actix_throttle::rate_limit;
use actix_web::get;

#[get("/")]
#[rate_limit(unlimited, group = "admin", failure_mode = "open")]
async fn index() -> &'static str {
    "hello"
}

fn main() {}
