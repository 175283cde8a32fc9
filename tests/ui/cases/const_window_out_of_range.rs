use actix_throttle::rate_limit;
use actix_web::get;

const A_YEAR: u32 = 365;

#[get("/")]
#[rate_limit(times = 2, days = A_YEAR, hours = A_YEAR)]
async fn index() -> &'static str {
    "hello"
}

fn main() {}
