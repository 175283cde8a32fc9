use actix_throttle::rate_limit;
use actix_web::FromRequest;

#[rate_limit("2/second")]
async fn index(body: impl FromRequest) -> &'static str {
    let _ = body;
    "hello"
}

fn main() {
    let _ = index(String::new());
}
