use actix_throttle::rate_limit;
use actix_web::get;

#[get("/")]
#[rate_limit(
    tiems = 2,
    seconds = "5",
    seconds = 7,
    algorithm = "token_buket",
    capacity = 0,
    cost = -1,
    identifier = headr("X-Api-Key"),
    block = "soon",
    shadow = false
)]
fn index() -> &'static str {
    "hello"
}

fn main() {}
