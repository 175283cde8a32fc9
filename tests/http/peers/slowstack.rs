//! slowstack's tutorial: a server with limits per address and per path that does not count errors,
//! and the limiters of its client.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use actix_throttle::{
    Decision, Identity, Limit, ManualClock, Paths, RateLimitError, RateLimiter, Rule, StatusSet,
    Throttle, rate_limit,
};
use actix_web::{
    HttpRequest, HttpResponse, get,
    rt::time::sleep,
    web::{self, Data, ServiceConfig},
};
use serde_json::json;

use super::{Service, body};
use harness::http::live::status;

/// `TimesPerRateLimiter(10, 10)` for the whole service, `TimesPerRateLimiter(1, 1)` per path, and
/// `if response.status_code == 500: raise RateLimitCancelError()`.
#[get("/test")]
#[rate_limit("10 per 10 seconds", zone = "service", refund_on = "500")]
#[rate_limit("1/second", refund_on = "500")]
async fn test() -> &'static str {
    "test ok"
}

#[get("/example")]
#[rate_limit("10 per 10 seconds", zone = "service", refund_on = "500")]
#[rate_limit("1/second", refund_on = "500")]
async fn example() -> &'static str {
    "examples!"
}

#[get("/error")]
#[rate_limit("10 per 10 seconds", zone = "service", refund_on = "500")]
#[rate_limit("1/second", refund_on = "500")]
async fn error() -> HttpResponse {
    HttpResponse::InternalServerError().finish()
}

fn routes(config: &mut ServiceConfig) {
    config.service((test, example, error));
}

/// Sends requests that end in an error and are not counted, and then ten that use up the limit:
/// five on each path, a second apart.
async fn use_up(service: &Service) {
    for _ in 0..30 {
        assert_eq!(status(&service.get("/error", &[]).await), 500);
    }
    for _ in 0..5 {
        assert_eq!(service.admitted("/test", &[], 3).await, 1);
        assert_eq!(service.admitted("/example", &[], 3).await, 1);
        service.after_seconds(1);
    }
}

#[actix_web::test]
async fn both_limits_hold_and_errors_are_not_counted() {
    let service = Service::with(Throttle::new(), routes).await;
    use_up(&service).await;
    assert_eq!(service.admitted("/test", &[], 3).await, 0);
    service.after_seconds(6);
    assert_eq!(service.admitted("/test", &[], 3).await, 1);
}

/// The middleware of the tutorial: ten requests in ten seconds per address, and one a second per
/// address and path, charged together. `assert 1 == 2` is not counted. A denied request gets
/// `{"detail": "rate limited"}`.
#[actix_web::test]
async fn its_middleware() {
    let by_path = |request: &HttpRequest| {
        let address = request.connection_info().peer_addr()?.to_owned();
        Some(Identity::new(address).context(request.path()))
    };
    let failed: StatusSet = "500".parse().expect("statuses");
    let rules = [
        Rule::new(GLOBAL).refund_on(failed.clone()),
        Rule::new(ENDPOINT).identifier(by_path).refund_on(failed),
    ];
    let denied = json!({ "detail": "rate limited" });
    let throttle = Throttle::new()
        .paths(Paths::all(), rules)
        .expect("valid rules")
        .on_limited(move |_: &HttpRequest, _: &Decision| {
            HttpResponse::TooManyRequests().json(&denied)
        });
    let routes = |config: &mut ServiceConfig| {
        config
            .route("/test", web::get().to(async || "test ok"))
            .route("/example", web::get().to(async || "examples!"))
            .route("/error", web::get().to(HttpResponse::InternalServerError));
    };
    let service = Service::with(throttle, routes).await;
    use_up(&service).await;
    let answer = service.get("/test", &[]).await;
    assert_eq!(status(&answer), 429);
    assert_eq!(body(&answer), r#"{"detail":"rate limited"}"#);
}

const GLOBAL: Limit = Limit::new(10, Duration::from_secs(10)).name("global");
const ENDPOINT: Limit = Limit::per_second(1).name("endpoint");

#[actix_web::test]
async fn the_limiters_of_its_client() {
    let clock = ManualClock::new();
    let builder = RateLimiter::builder().memory().clock(clock.clone());
    let limiter = builder.build().await.expect("valid settings");
    // `AllRateLimiter({global, endpoint[path]}).acquire()`
    let acquire = |path: &str| limiter.acquire_all([(&GLOBAL, "client"), (&ENDPOINT, path)]);
    let permit = acquire("/test").await.expect("room");
    // `wait=False` and `RateLimitedError`
    assert!(acquire("/test").try_now().await.expect("decided").is_none());
    // `raise RateLimitCancelError()`
    assert!(permit.refund().await);
    acquire("/test").await.expect("room again");
    // Other calls in the meantime, up to ten in all.
    for path in 0..9 {
        acquire(&format!("/{path}")).await.expect("room");
    }
    let late = acquire("/example").max_wait(Duration::from_secs(9)).await;
    assert!(matches!(late, Err(RateLimitError::TimedOut { .. })));
    clock.advance(Duration::from_secs(10));
    // `AnyRateLimiter({a, b})`
    let either = || limiter.try_acquire_any([(&ENDPOINT, "/a"), (&ENDPOINT, "/b")]);
    for expected in [true, true, false] {
        assert_eq!(either().await.expect("decided").is_some(), expected);
    }
}

#[get("/waits")]
#[rate_limit("1/minute", algorithm = "leaky_bucket", max_wait = "10m")]
async fn waits(runs: Data<AtomicUsize>) -> &'static str {
    runs.fetch_add(1, Ordering::SeqCst);
    "ran"
}

/// slowstack runs a request that was cancelled while it waited; this crate must not.
#[actix_web::test]
async fn body_run_after_cancel() {
    let runs = Data::new(AtomicUsize::new(0));
    let shared = runs.clone();
    let routes = move |config: &mut ServiceConfig| {
        config.app_data(shared.clone()).service(waits);
    };
    let service = Service::with(Throttle::new(), routes).await;
    assert_eq!(status(&service.get("/waits", &[]).await), 200);
    let mut leaves = service.live.connect().await;
    leaves.send("GET /waits HTTP/1.1\r\nHost: a\r\n\r\n").await;
    sleep(Duration::from_millis(50)).await;
    drop(leaves);
    sleep(Duration::from_millis(50)).await;
    service.after_seconds(600);
    sleep(Duration::from_millis(50)).await;
    assert_eq!(runs.load(Ordering::SeqCst), 1, "its client has left");
    // The cancelled request was not charged either.
    assert_eq!(status(&service.get("/waits", &[]).await), 200);
    assert_eq!(runs.load(Ordering::SeqCst), 2);
}
