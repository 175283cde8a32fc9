//! pylimitx: a global limit by `RateLimitMiddleware(limit=100, window=60)`, and a route that
//! replaces it with `@rate_limit(limit=10, window=60)`.

use actix_throttle::{Limit, Throttle, rate_limit};
use actix_web::{get, web::ServiceConfig};

use super::{Service, header};
use harness::http::live::status;

/// `@rate_limit(limit=10, window=60)  # Override global limit for this route`
#[get("/api/search")]
#[rate_limit(times = 10, seconds = 60)]
async fn search() -> &'static str {
    "results"
}

/// A route under the global limit.
#[get("/api/upload")]
async fn upload() -> &'static str {
    "uploaded"
}

/// A route under the global limit and one of its own.
#[get("/api/export")]
#[rate_limit(times = 5, seconds = 3600)]
async fn export() -> &'static str {
    "exported"
}

/// `algorithm="token_bucket", bucket_capacity=30, refill_rate=10/60`
#[get("/burst")]
#[rate_limit(times = 10, seconds = 60, algorithm = "token_bucket", capacity = 30)]
async fn burst() -> &'static str {
    "ok"
}

/// The capacity is the limit, as it is without `bucket_capacity`.
#[get("/steady")]
#[rate_limit(times = 10, seconds = 60, algorithm = "token_bucket")]
async fn steady() -> &'static str {
    "ok"
}

fn routes(config: &mut ServiceConfig) {
    config.service((search, upload, export, burst, steady));
}

#[actix_web::test]
async fn global_limit_and_a_route_of_its_own() {
    let throttle = Throttle::per_client(Limit::per_minute(100)).expect("a limit");
    let service = Service::with(throttle.exempt("/api/search"), routes).await;
    assert_eq!(service.admitted("/api/search", &[], 12).await, 10);
    // None of those requests was charged to the global limit.
    assert_eq!(service.admitted("/api/upload", &[], 98).await, 98);
    let both = service.get("/api/export", &[]).await;
    assert_eq!(status(&both), 200);
    assert_eq!(header(&both, "x-ratelimit-remaining"), Some("1")); // Of the global limit.
    assert_eq!(service.admitted("/api/upload", &[], 2).await, 1);
    assert_eq!(status(&service.get("/api/export", &[]).await), 429);
    service.after_seconds(60);
    assert_eq!(service.admitted("/api/search", &[], 12).await, 10);
    assert_eq!(service.admitted("/api/upload", &[], 101).await, 100);
}

#[actix_web::test]
async fn token_bucket_with_and_without_a_burst() {
    let service = Service::with(Throttle::new(), routes).await;
    assert_eq!(service.admitted("/burst", &[], 32).await, 30);
    assert_eq!(service.admitted("/steady", &[], 12).await, 10);
    service.after_seconds(6);
    assert_eq!(service.admitted("/burst", &[], 2).await, 1);
    assert_eq!(service.admitted("/steady", &[], 2).await, 1);
}

#[actix_web::test]
async fn response_headers() {
    let service = Service::with(Throttle::new(), routes).await;
    let allowed = service.get("/api/search", &[]).await;
    assert_eq!(header(&allowed, "x-ratelimit-limit"), Some("10"));
    assert_eq!(header(&allowed, "x-ratelimit-remaining"), Some("9"));
    assert_eq!(service.admitted("/api/search", &[], 9).await, 9);
    service.after_seconds(15);
    let denied = service.get("/api/search", &[]).await;
    assert_eq!(header(&denied, "x-ratelimit-limit"), Some("10"));
    assert_eq!(header(&denied, "x-ratelimit-remaining"), Some("0"));
    assert_eq!(header(&denied, "retry-after"), Some("45"));
}
