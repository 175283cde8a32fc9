use actix_throttle::rate_limit;
use actix_web::get;

#[get("/")]
#[rate_limit("100/second", algorithm = "leaky_bucket", lease = 50)]
async fn index() -> &'static str {
    "hello"
}

fn main() {}
