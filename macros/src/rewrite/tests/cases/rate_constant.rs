use actix_throttle::rate_limit;
use actix_web::get;

const RATE: &str = "2/second";

#[get("/")]
#[rate_limit(RATE)]
async fn index() -> &'static str {
    RATE
}

fn main() {}
