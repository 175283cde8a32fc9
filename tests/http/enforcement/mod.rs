//! All limits at once: enforced, only counted, or off.

mod file;
mod responses;
mod switch;
mod waiting;
mod without_a_store;

use std::sync::atomic::{AtomicU32, Ordering};

use actix_throttle::{
    Identity, Limit, RateLimiter, RateLimits, RequestError, concurrency_limit, rate_limit,
};
use actix_web::{HttpRequest, HttpResponse, get, web::ServiceConfig};

#[get("/single")]
#[rate_limit("2/minute", name = "single")]
async fn single(limits: RateLimits) -> String {
    let one = limits.iter().map(|limit| limit.name());
    format!("{:?} {}", one.collect::<Vec<_>>(), limits.would_deny())
}

/// A limit and the shadow that is to replace it: they have one zone and one window.
#[get("/candidate")]
#[rate_limit("5/minute", name = "hard", zone = "z")]
#[rate_limit("2/minute", name = "soft", zone = "z", shadow)]
async fn candidate(limits: RateLimits) -> String {
    let exceeded = limits.iter().filter(|limit| limit.is_exceeded());
    format!(
        "{:?}",
        exceeded.map(|limit| limit.name()).collect::<Vec<_>>()
    )
}

#[get("/wait")]
#[rate_limit("1/minute", algorithm = "leaky_bucket", max_wait = "10m")]
async fn wait() -> &'static str {
    "ok"
}

#[get("/held")]
#[concurrency_limit(max = 1, name = "held")]
async fn held() -> HttpResponse {
    std::future::pending().await
}

#[get("/key")]
#[rate_limit("1/minute", identifier = header("X-Api-Key"))]
async fn key() -> &'static str {
    "ok"
}

static IDENTIFIED: AtomicU32 = AtomicU32::new(0);

fn identified(_: &HttpRequest) -> Identity {
    IDENTIFIED.fetch_add(1, Ordering::Relaxed);
    "ann".into()
}

#[get("/identified")]
#[rate_limit("1/minute", identifier = identified, cost = two)]
async fn by_function() -> &'static str {
    "ok"
}

fn two(_: &HttpRequest) -> u32 {
    IDENTIFIED.fetch_add(1, Ordering::Relaxed);
    2
}

#[get("/closed")]
#[rate_limit("1/minute", failure_mode = "closed")]
async fn closed() -> &'static str {
    "ok"
}

#[get("/unknown")]
#[rate_limit(limit = "nowhere")]
async fn unknown() -> &'static str {
    "ok"
}

#[get("/inside")]
async fn inside(request: HttpRequest, limiter: RateLimiter) -> Result<String, RequestError> {
    const INSIDE: Limit = Limit::per_minute(1).name("inside");
    let decision = limiter.enforce(&request, &INSIDE, "ann").await?;
    Ok(decision.limits().len().to_string())
}

#[get("/free")]
async fn free() -> &'static str {
    "ok"
}

fn routes(config: &mut ServiceConfig) {
    config
        .service((single, candidate, wait, held, key, by_function))
        .service((closed, unknown, inside, free));
}
