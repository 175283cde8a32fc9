//! `settle`: the cost is an estimate, which the handler corrects by a `PendingCharge`. `stores` has
//! on every store what the next requests and streamed bodies show of it.

mod charges;
mod extractor;

use actix_throttle::{PendingCharge, rate_limit};
use actix_web::{
    HttpRequest, get,
    web::{self, ServiceConfig},
};

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
        .service((twice, free, skipped, one))
        .route("/bare/{actual}", web::get().to(bare));
}
