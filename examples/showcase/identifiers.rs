//! Identifiers: a header, a combination, an identity with a group.

use actix_throttle::{Identity, rate_limit};
use actix_web::{HttpRequest, get, web};

#[get("/key")]
#[rate_limit(times = 2, seconds = 5, identifier = header("X-Api-Key"))]
async fn key() -> &'static str {
    "ok"
}

/// One counter for each client within each tenant.
#[get("/pair")]
#[rate_limit(times = 2, seconds = 5, identifier = (ip, header("X-Tenant")))]
async fn pair() -> &'static str {
    "ok"
}

/// The client's address, in the group that a header names. Each plan has an identity of its own, so
/// that one terminal can try them all. In a real service, a client keeps its identity across plans.
fn with_plan(request: &HttpRequest) -> Option<Identity> {
    let address = request.peer_addr()?.ip();
    let header = request.headers().get("X-Group");
    Some(match header.and_then(|group| group.to_str().ok()) {
        Some(group) => Identity::new(format!("{group}@{address}")).group(group.to_owned()),
        None => Identity::ip(address),
    })
}

#[get("/plan")]
#[rate_limit(times = 2, seconds = 5, identifier = with_plan)]
#[rate_limit(times = 5, seconds = 5, identifier = with_plan, group = "pro")]
#[rate_limit(identifier = with_plan, group = "admin", unlimited)]
async fn plan() -> &'static str {
    "ok"
}

pub(crate) fn routes(config: &mut web::ServiceConfig) {
    config.service((key, pair, plan));
}
