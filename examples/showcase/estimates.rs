//! Costs that are known later: charged at an estimate, and settled.

use actix_throttle::{PendingCharge, rate_limit};
use actix_web::{Error, HttpRequest, HttpResponse, get, web};
use futures_util::{StreamExt, future, stream};

#[derive(serde::Deserialize)]
struct Estimate {
    estimate: u32,
}

#[derive(serde::Deserialize)]
struct Actual {
    actual: u32,
}

fn estimate(request: &HttpRequest) -> u32 {
    let query = web::Query::<Estimate>::from_query(request.query_string());
    query.map_or(1, |query| query.estimate)
}

/// The handler settles before the response, whose headers show it.
#[get("/tokens")]
#[rate_limit(
    times = 100,
    seconds = 100,
    algorithm = "token_bucket",
    identifier = header("X-Api-Key"),
    name = "tokens",
    zone = "tokens",
    cost = estimate,
    settle
)]
async fn tokens(charge: PendingCharge, query: web::Query<Actual>) -> &'static str {
    charge.settle(query.actual).await;
    "ok"
}

/// The handler settles when the streamed body ends.
#[get("/stream")]
#[rate_limit(
    times = 100,
    seconds = 100,
    algorithm = "token_bucket",
    identifier = header("X-Api-Key"),
    name = "tokens",
    zone = "tokens",
    cost = estimate,
    settle
)]
async fn streamed(charge: PendingCharge, query: web::Query<Actual>) -> HttpResponse {
    let chunks =
        ["o", "k", "\n"].map(|chunk| Ok::<_, Error>(web::Bytes::from_static(chunk.as_bytes())));
    let settled = stream::once(async move { charge.settle(query.actual).await });
    let end = settled.filter_map(|_| future::ready(None));
    HttpResponse::Ok()
        .content_type("text/plain")
        .streaming(stream::iter(chunks).chain(end))
}

pub(crate) fn routes(config: &mut web::ServiceConfig) {
    config.service((tokens, streamed));
}
