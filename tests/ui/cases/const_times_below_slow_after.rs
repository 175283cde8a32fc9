use actix_throttle::rate_limit;
use actix_web::get;

const TEN: u32 = 10;

#[get("/")]
#[rate_limit(times = TEN, minutes = 1, slow_after = 10, slow_by = "200ms", slow_max = "5s")]
async fn index() -> &'static str {
    "hello"
}

fn main() {}
