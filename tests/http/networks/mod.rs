//! Networks of clients: allowed, denied, and entries of the middleware for some of them alone.

mod clients;
mod errors;
mod middleware;

use actix_throttle::{Builder, Limit, rate_limit};
use actix_web::{
    get, post,
    web::{self, ServiceConfig},
};

use harness::http::app::TestResponse;

const LIMIT: Limit = Limit::per_minute(2);

#[get("/")]
#[rate_limit("2/minute")]
async fn index() -> &'static str {
    "ok"
}

#[post("/json")]
#[rate_limit("2/minute")]
async fn json(numbers: web::Json<Vec<u32>>) -> String {
    numbers.len().to_string()
}

#[get("/free")]
async fn free() -> &'static str {
    "ok"
}

fn routes(config: &mut ServiceConfig) {
    config.service((index, json, free));
}

/// The lists that overlap in either direction.
fn listed(builder: Builder) -> Builder {
    let allow = ["10.0.0.0/8", "192.0.2.66", "2001:db8:1::/48"];
    let deny = ["10.66.0.0/16", "192.0.2.64/28", "2001:db8::/32"];
    let builder = builder.allow(allow).and_then(|builder| builder.deny(deny));
    builder.expect("valid lists")
}

fn assert_forbidden(answer: &TestResponse) {
    assert_eq!(answer.status, 403);
    assert!(answer.is_unlimited(), "{answer:?}");
    assert_eq!(
        answer.header("Content-Type"),
        Some("application/problem+json")
    );
    let document = answer.json();
    assert_eq!(document["status"], 403);
    assert_eq!(document["title"], "Forbidden");
    assert_eq!(document["type"], "about:blank");
    assert_eq!(
        document["detail"],
        "Requests from this network are not accepted."
    );
}
