//! Limits per group, and requests that no limit applies to.

use actix_throttle::{Identity, rate_limit};
use actix_web::{HttpRequest, get, test::TestRequest, web::ServiceConfig};

use harness::http::app::{TestApp, get};

/// The client's address, in the group that a header names.
fn with_plan(request: &HttpRequest) -> Option<Identity> {
    let client = Identity::ip(request.peer_addr()?.ip());
    let group = request.headers().get("X-Group");
    Some(match group.and_then(|group| group.to_str().ok()) {
        Some(group) => client.group(group.to_owned()),
        None => client,
    })
}

#[get("/plan")]
#[rate_limit(times = 2, seconds = 5, identifier = with_plan)]
#[rate_limit(times = 5, seconds = 5, identifier = with_plan, group = "pro")]
#[rate_limit(identifier = with_plan, group = "admin", unlimited)]
async fn plan() -> &'static str {
    "ok"
}

/// Every client has two limits, and a client in `pro` one.
#[get("/several")]
#[rate_limit("3/second", identifier = with_plan)]
#[rate_limit("4/minute", identifier = with_plan)]
#[rate_limit("8/minute", identifier = with_plan, group = "pro")]
async fn several() -> &'static str {
    "ok"
}

/// Only the group `suspect` is limited.
#[get("/suspects")]
#[rate_limit("1/minute", identifier = with_plan, group = "suspect")]
async fn suspects() -> &'static str {
    "ok"
}

fn is_internal(request: &HttpRequest) -> bool {
    request.headers().contains_key("X-Internal")
}

#[get("/skip")]
#[rate_limit("2/minute", skip_if = is_internal)]
async fn skip() -> &'static str {
    "ok"
}

#[get("/skip-one")]
#[rate_limit("2/second", skip_if = is_internal)]
#[rate_limit("3/minute")]
async fn skip_one() -> &'static str {
    "ok"
}

fn routes(config: &mut ServiceConfig) {
    config.service((plan, several, suspects, skip, skip_one));
}

fn of(group: &str, path: &str) -> TestRequest {
    get(path).insert_header(("X-Group", group))
}

#[actix_web::test]
async fn group_limit_replaces_the_ungrouped_limit() {
    let service = TestApp::new().await.service(routes).await;
    for remaining in (0..5).rev() {
        let answer = service.send(of("pro", "/plan")).await;
        assert_eq!(answer.quota(), Some([5, remaining, 5]));
    }
    assert_eq!(service.send(of("pro", "/plan")).await.status, 429);
    let wider = service.send(of("pro", "/several")).await;
    assert_eq!(wider.quota(), Some([8, 7, 60]));
}

#[actix_web::test]
async fn ungrouped_limit_is_for_those_of_no_group_and_of_unknown_ones() {
    let service = TestApp::new().await.service(routes).await;
    assert_eq!(service.get("/plan").await.quota(), Some([2, 1, 5]));
    assert_eq!(
        service.send(of("gold", "/plan")).await.quota(),
        Some([2, 0, 5])
    );
    assert_eq!(service.send(of("gold", "/plan")).await.status, 429);
    assert_eq!(service.get("/plan").await.status, 429);
    assert_eq!(service.statuses("/several", 4).await, [200, 200, 200, 429]);
}

#[actix_web::test]
async fn unlimited_group_is_not_counted_and_has_no_headers() {
    let service = TestApp::new().await.service(routes).await;
    for _ in 0..20 {
        let answer = service.send(of("admin", "/plan")).await;
        assert_eq!(answer.status, 200);
        assert!(answer.is_unlimited(), "{answer:?}");
    }
    assert_eq!(service.get("/plan").await.remaining(), Some(1));
}

#[actix_web::test]
async fn where_only_a_group_is_limited_others_are_not() {
    let service = TestApp::new().await.service(routes).await;
    for _ in 0..5 {
        assert!(service.get("/suspects").await.is_unlimited());
        assert!(service.send(of("pro", "/suspects")).await.is_unlimited());
    }
    let suspect = || of("suspect", "/suspects");
    assert_eq!(service.send(suspect()).await.quota(), Some([1, 0, 60]));
    assert_eq!(service.send(suspect()).await.status, 429);
}

#[actix_web::test]
async fn skipped_requests_are_neither_counted_nor_limited() {
    let service = TestApp::new().await.service(routes).await;
    let internal = |path| get(path).insert_header(("X-Internal", "1"));
    for _ in 0..5 {
        assert!(service.send(internal("/skip")).await.is_unlimited());
    }
    assert_eq!(service.statuses("/skip", 3).await, [200, 200, 429]);
    let skipped = service.send(internal("/skip")).await;
    assert_eq!(skipped.status, 200);
    assert!(skipped.is_unlimited());
}

#[actix_web::test]
async fn skipping_one_limit_leaves_the_other() {
    let service = TestApp::new().await.service(routes).await;
    let internal = || get("/skip-one").insert_header(("X-Internal", "1"));
    for remaining in [2, 1, 0] {
        let answer = service.send(internal()).await;
        assert_eq!(answer.quota(), Some([3, remaining, 60]));
    }
    assert_eq!(service.send(internal()).await.status, 429);
    // Only now is the other limit charged; the skipped requests did not use it.
    assert_eq!(service.get("/skip-one").await.quota(), Some([3, 0, 60]));
}
