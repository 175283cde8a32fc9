use actix_throttle::rate_limit;
use actix_web::get;

const NONE: u32 = 0;

#[get("/")]
#[rate_limit(limit = "named", slow_after = NONE, slow_by = "200ms", slow_max = "5s")]
async fn index() -> &'static str {
    "hello"
}

fn main() {}
