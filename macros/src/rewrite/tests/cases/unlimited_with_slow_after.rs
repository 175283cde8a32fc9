use actix_throttle::rate_limit;
use actix_web::get;

#[get("/")]
#[rate_limit(group = "admin", unlimited, slow_after = 50)]
async fn index() -> &'static str {
    "hello"
}

fn main() {}
