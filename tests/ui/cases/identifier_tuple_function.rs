use actix_throttle::rate_limit;
use actix_web::get;

fn length(name: &str) -> usize {
    name.len()
}

#[get("/")]
#[rate_limit("2/second", identifier = (ip, length))]
async fn index() -> &'static str {
    "hello"
}

fn main() {}
