//! actix-limitation and actix-governor: one limit for everything behind the middleware.

use actix_throttle::{Algorithm, Identity, Limit, Paths, Rule, Throttle};
use actix_web::{HttpRequest, http::Method};

use super::{Service, header};
use harness::http::live::status;

/// `Limiter::builder(…).limit(20).period(hour).key_by(session)`
#[actix_web::test]
async fn limitation() {
    fn key_by(request: &HttpRequest) -> Option<Identity> {
        let session = request.headers().get("X-Session")?.to_str().ok()?;
        Some(Identity::new(session))
    }
    let limit = Limit::per_hour(20).algorithm(Algorithm::FixedWindow);
    let throttle = Throttle::per_client(limit)
        .expect("a limit")
        .identifier(key_by);
    let service = Service::behind(throttle).await;
    let ann = [("X-Session", "ann")];
    assert_eq!(service.admitted("/", &ann, 22).await, 20);
    assert_eq!(service.admitted("/", &[("X-Session", "bob")], 1).await, 1);
    service.after_seconds(3_600);
    assert_eq!(service.admitted("/", &ann, 22).await, 20);
}

/// `requests_per_second(2).burst_size(5).methods(vec![Method::POST]).use_headers()`
#[actix_web::test]
async fn governor() {
    let limit = Limit::per_second(2)
        .algorithm(Algorithm::TokenBucket)
        .capacity(5);
    let throttle = Throttle::per_client(limit).expect("a limit");
    let service = Service::behind(throttle).await;
    assert_eq!(service.admitted("/", &[], 7).await, 5);
    service.after_seconds(1);
    let allowed = service.get("/", &[]).await;
    assert_eq!(status(&allowed), 200);
    assert_eq!(header(&allowed, "x-ratelimit-limit"), Some("5"));
    assert_eq!(header(&allowed, "x-ratelimit-remaining"), Some("1"));

    let posts = Paths::all().methods([Method::POST]);
    let throttle = Throttle::new().paths(posts, [Rule::new(limit)]);
    let service = Service::behind(throttle.expect("an entry")).await;
    assert_eq!(service.admitted("/", &[], 10).await, 10);
    let mut wire = service.live.connect().await;
    for expected in [200, 200, 200, 200, 200, 429] {
        wire.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
            .await;
        assert_eq!(status(&wire.answer().await), expected);
    }
}
