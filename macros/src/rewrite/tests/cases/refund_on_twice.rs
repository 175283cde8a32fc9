use actix_throttle::rate_limit;
use actix_web::get;

#[get("/")]
#[rate_limit("2/s", refund_on = "404, 5xx, 404")]
async fn index() -> &'static str {
    "hello"
}

fn main() {}
