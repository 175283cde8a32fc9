use actix_throttle::rate_limit;
use actix_web::get;

#[get("/")]
#[rate_limit("2/second", failure_mode = 503)]
async fn index() -> &'static str {
    "hello"
}

fn main() {}
