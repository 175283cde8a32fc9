use std::sync::LazyLock;

use actix_throttle::{Identifier, rate_limit};
use actix_web::get;

#[allow(non_upper_case_globals)]
static by_key: LazyLock<Identifier> = LazyLock::new(|| Identifier::header("X-Api-Key"));

#[get("/")]
#[rate_limit("2/second", identifier = by_key)]
async fn index() -> &'static str {
    "hello"
}

fn main() {}
