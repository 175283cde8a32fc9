use actix_throttle::rate_limit;
use actix_web::get;

#[get("/")]
#[rate_limit(unlimited, group = "admin", lease = 50)]
async fn index() -> &'static str {
    "hello"
}

fn main() {}
