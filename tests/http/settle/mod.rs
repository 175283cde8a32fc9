//! `settle`: the cost is an estimate, which the handler corrects by a `PendingCharge`.

mod bodies;
mod charges;
mod extractor;

use actix_throttle::{PendingCharge, rate_limit};
use actix_web::{
    Error, HttpRequest, HttpResponse, get,
    http::StatusCode,
    web::{self, Bytes, ServiceConfig},
};
use futures_util::{StreamExt, future::ready, stream};

fn estimate(request: &HttpRequest) -> u32 {
    request
        .match_info()
        .query("estimate")
        .parse()
        .expect("a number")
}

#[get("/tokens/{estimate}/{actual}")]
#[rate_limit(
    times = 100,
    seconds = 100,
    algorithm = "token_bucket",
    zone = "tokens",
    cost = estimate,
    settle
)]
async fn tokens(charge: PendingCharge, path: web::Path<(u32, u32)>) -> String {
    let estimate = charge.estimate();
    format!("{estimate} {}", charge.settle(path.1).await)
}

#[get("/stream/{estimate}/{actual}")]
#[rate_limit(
    times = 100,
    seconds = 100,
    algorithm = "token_bucket",
    zone = "tokens",
    cost = estimate,
    settle
)]
async fn streamed(charge: PendingCharge, path: web::Path<(u32, u32)>) -> HttpResponse {
    let chunks = stream::iter(["a", "b", "c"]).map(|chunk| Ok::<_, Error>(Bytes::from(chunk)));
    let end = stream::once(async move { charge.settle(path.1).await });
    HttpResponse::Ok().streaming(chunks.chain(end.filter_map(|_| ready(None))))
}

#[get("/stacked/{actual}")]
#[rate_limit("100/minute", name = "tokens", cost = 10, settle)]
#[rate_limit("1000/day", name = "daily", cost = 10, settle)]
#[rate_limit("5/minute", name = "requests", algorithm = "fixed_window")]
async fn stacked(charge: PendingCharge, actual: web::Path<u32>) -> &'static str {
    charge.settle(*actual).await;
    "ok"
}

#[get("/failing/{status}/{actual}")]
#[rate_limit("100/minute", cost = 10, settle, refund_on = "5xx")]
async fn failing(charge: PendingCharge, path: web::Path<(u16, u32)>) -> HttpResponse {
    let (status, actual) = path.into_inner();
    let status = StatusCode::from_u16(status).expect("a status");
    if actual > 0 {
        charge.settle(actual).await;
        return HttpResponse::new(status);
    }
    // The body settles too late for a refund: the status is known before the body ends.
    let end = stream::once(async move { charge.settle(70).await })
        .map(|settled| Ok::<_, Error>(Bytes::from(settled.to_string())));
    HttpResponse::build(status).streaming(end)
}

#[get("/twice")]
#[rate_limit("100/minute", cost = 10, settle)]
async fn twice(first: PendingCharge, second: PendingCharge) -> String {
    let settled = (first.settle(20).await, second.settle(30).await);
    format!("{settled:?}")
}

#[get("/free")]
#[rate_limit("100/minute", cost = nothing, settle)]
async fn free(charge: PendingCharge) -> String {
    charge.settle(30).await.to_string()
}

fn nothing(_: &HttpRequest) -> u32 {
    0
}

#[get("/skipped")]
#[rate_limit("100/minute", cost = 10, settle, skip_if = always)]
async fn skipped(charge: PendingCharge) -> String {
    format!("{} {}", charge.estimate(), charge.settle(30).await)
}

fn always(_: &HttpRequest) -> bool {
    true
}

#[get("/one")]
#[rate_limit("100/minute", settle)]
async fn one(charge: PendingCharge) -> &'static str {
    charge.settle(7).await;
    "ok"
}

async fn bare(charge: PendingCharge, actual: web::Path<u32>) -> String {
    format!("{} {}", charge.estimate(), charge.settle(*actual).await)
}

fn routes(config: &mut ServiceConfig) {
    config
        .service((
            tokens, streamed, stacked, failing, twice, free, skipped, one,
        ))
        .route("/bare/{actual}", web::get().to(bare));
}
