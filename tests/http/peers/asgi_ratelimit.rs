//! asgi-ratelimit: `RateLimitMiddleware(app, authenticate, backend, config)`.

use std::time::Duration;

use actix_throttle::{Decision, Limit, Rule, Throttle};
use actix_web::{HttpRequest, HttpResponse};

use super::{Service, body, header};
use harness::http::live::status;

/// `AUTH_FUNCTION`: the user and the group, which is `default` if none is given.
async fn authenticate(request: &HttpRequest) -> Option<(String, String)> {
    let value = |name: &str| Some(request.headers().get(name)?.to_str().ok()?.to_owned());
    let group = value("X-Group").unwrap_or_else(|| "default".to_owned());
    Some((value("X-User")?, group))
}

fn throttle() -> Throttle {
    Throttle::new().identifier(authenticate)
}

const ANN: &[(&str, &str)] = &[("X-User", "ann")];
const BOB: &[(&str, &str)] = &[("X-User", "bob")];
const ADMIN: &[(&str, &str)] = &[("X-User", "root"), ("X-Group", "admin")];

/// `{"^/towns": [Rule(second=1, group="default"), Rule(group="admin")],`
/// `"^/forests": [Rule(minute=1, …`
#[actix_web::test]
async fn towns_and_forests() {
    let throttle = throttle()
        .paths(
            "^/towns",
            [
                Rule::new(Limit::per_second(1)).group("default"),
                Rule::unlimited("admin"),
            ],
        )
        .and_then(|throttle| {
            throttle.paths(
                "^/forests",
                [
                    Rule::new(Limit::per_minute(1)).group("default"),
                    Rule::unlimited("admin"),
                ],
            )
        })
        .expect("entries");
    let service = Service::behind(throttle).await;
    assert_eq!(service.admitted("/towns", ANN, 3).await, 1);
    assert_eq!(service.admitted("/forests", ANN, 3).await, 1);
    assert_eq!(service.admitted("/towns", BOB, 3).await, 1);
    for path in ["/towns", "/forests"] {
        assert_eq!(service.admitted(path, ADMIN, 20).await, 20);
    }
    service.after_seconds(1);
    assert_eq!(service.admitted("/towns", ANN, 2).await, 1);
    assert_eq!(service.admitted("/forests", ANN, 1).await, 0);
    service.after_seconds(59);
    assert_eq!(service.admitted("/forests", ANN, 2).await, 1);
    // A path without an entry is not limited.
    assert_eq!(service.admitted("/rivers", ANN, 20).await, 20);
}

/// `{"^/towns": [Rule(second=1), Rule(second=10, group="admin")]}`
#[actix_web::test]
async fn rule_without_a_group_is_for_the_others() {
    let rules = [
        Rule::new(Limit::per_second(1)),
        Rule::new(Limit::per_second(10)).group("admin"),
    ];
    let service = Service::behind(throttle().paths("^/towns", rules).expect("an entry")).await;
    assert_eq!(service.admitted("/towns", ANN, 3).await, 1);
    assert_eq!(service.admitted("/towns", ADMIN, 12).await, 10);
}

/// `{"^/towns": [Rule(minute=200, second=10)]}`
#[actix_web::test]
async fn minute_and_second() {
    let rules = [
        Rule::new(Limit::per_minute(200)),
        Rule::new(Limit::per_second(10)),
    ];
    let service = Service::behind(throttle().paths("^/towns", rules).expect("an entry")).await;
    for _ in 0..20 {
        assert_eq!(service.admitted("/towns", ANN, 11).await, 10);
        service.after_seconds(1);
    }
    // 200 requests in 20 seconds use up the minute; `Retry-After` says when it is over.
    let denied = service.get("/towns", ANN).await;
    assert_eq!(status(&denied), 429);
    assert_eq!(header(&denied, "retry-after"), Some("40"));
    service.after_seconds(40);
    assert_eq!(service.admitted("/towns", ANN, 11).await, 10);
}

/// `{"^/towns": [Rule(day=400, minute=200, second=10),`
/// `Rule(minute=500, second=25, group="admin")]}`
#[actix_web::test]
async fn day_minute_and_second_and_another_group() {
    let rules = [
        Rule::new(Limit::per_day(400)),
        Rule::new(Limit::per_minute(200)),
        Rule::new(Limit::per_second(10)),
        Rule::new(Limit::per_minute(500)).group("admin"),
        Rule::new(Limit::per_second(25)).group("admin"),
    ];
    let service = Service::behind(throttle().paths("^/towns", rules).expect("an entry")).await;
    for _ in 0..20 {
        assert_eq!(service.admitted("/towns", ANN, 11).await, 10);
        assert_eq!(service.admitted("/towns", ADMIN, 26).await, 25);
        service.after_seconds(1);
    }
    // Both have used up their minutes; the admin has no daily limit.
    assert_eq!(service.admitted("/towns", ANN, 1).await, 0);
    assert_eq!(service.admitted("/towns", ADMIN, 1).await, 0);
    service.after_seconds(40);
    for _ in 0..20 {
        assert_eq!(service.admitted("/towns", ANN, 10).await, 10);
        service.after_seconds(1);
    }
    service.after_seconds(60);
    let denied = service.get("/towns", ANN).await;
    assert_eq!(status(&denied), 429);
    // The day began with the first request, 140 seconds ago.
    assert_eq!(header(&denied, "retry-after"), Some("86260"));
    assert_eq!(service.admitted("/towns", ADMIN, 26).await, 25);
}

/// `{"/user/\d+": [Rule(minute=200, zone="user-api"),`
/// `Rule(second=100, zone="user-api", group="admin")]}`
#[actix_web::test]
async fn zone_over_many_paths() {
    let zone = |limit: Limit| Rule::new(limit.zone("user-api"));
    let users = [
        zone(Limit::per_minute(200)),
        zone(Limit::per_second(100)).group("admin"),
    ];
    let throttle = throttle()
        .paths(r"/user/\d+", users)
        .and_then(|throttle| throttle.paths("^/profile", [zone(Limit::per_minute(200))]))
        .expect("entries");
    let service = Service::behind(throttle).await;
    assert_eq!(service.admitted("/user/1", ANN, 120).await, 120);
    assert_eq!(service.admitted("/user/2", ANN, 60).await, 60);
    assert_eq!(service.admitted("/profile", ANN, 30).await, 20);
    assert_eq!(service.admitted("/user/3", ANN, 1).await, 0);
    assert_eq!(service.admitted("/user/1", ADMIN, 101).await, 100);
    service.after_seconds(1);
    assert_eq!(service.admitted("/user/2", ADMIN, 101).await, 100);
}

/// `Rule(second=5, block_time=60)`
#[actix_web::test]
async fn block_time() {
    let rules = [Rule::new(
        Limit::per_second(5).block(Duration::from_secs(60)),
    )];
    let service = Service::behind(throttle().paths("^/", rules).expect("an entry")).await;
    // Five requests per second, again and again, cause no block.
    for _ in 0..3 {
        assert_eq!(service.admitted("/", ANN, 5).await, 5);
        service.after_seconds(1);
    }
    assert_eq!(service.admitted("/", ANN, 6).await, 5);
    service.after_seconds(20);
    let denied = service.get("/", ANN).await;
    assert_eq!(status(&denied), 429);
    assert_eq!(header(&denied, "retry-after"), Some("40"));
    service.after_seconds(40);
    assert_eq!(service.admitted("/", ANN, 6).await, 5);
    assert_eq!(service.admitted("/", BOB, 6).await, 5);
}

/// `on_blocked=yourself_429`
#[actix_web::test]
async fn custom_block_handler() {
    async fn yourself_429(_: &HttpRequest, denied: &Decision) -> HttpResponse {
        let wait = denied.retry_after().unwrap_or_default().as_secs();
        HttpResponse::TooManyRequests().body(format!("custom 429 page, {wait} s"))
    }
    let rules = [Rule::new(Limit::per_minute(1))];
    let throttle = throttle().on_limited(yourself_429).paths("^/", rules);
    let service = Service::behind(throttle.expect("an entry")).await;
    assert_eq!(service.admitted("/", ANN, 1).await, 1);
    let denied = service.get("/", ANN).await;
    assert_eq!(status(&denied), 429);
    assert_eq!(body(&denied), "custom 429 page, 60 s");
    assert_eq!(header(&denied, "retry-after"), Some("60"));
}

/// `on_auth_error=handle_auth_error`, and requests without a user when it is not set.
#[actix_web::test]
async fn custom_auth_error_handler() {
    async fn handle_auth_error(_: &HttpRequest) -> HttpResponse {
        HttpResponse::Unauthorized().body("{\"message\": \"Unauthorized access.\"}")
    }
    let rules = || [Rule::new(Limit::per_minute(1))];
    let answering = throttle()
        .on_unidentified(handle_auth_error)
        .paths("^/", rules());
    let service = Service::behind(answering.expect("an entry")).await;
    let answer = service.get("/", &[]).await;
    assert_eq!(status(&answer), 401);
    assert_eq!(body(&answer), "{\"message\": \"Unauthorized access.\"}");
    assert_eq!(service.admitted("/", ANN, 2).await, 1);

    // Requests without it count by address, and the response is no 500.
    let service = Service::behind(throttle().paths("^/", rules()).expect("an entry")).await;
    assert_eq!(service.admitted("/", &[], 2).await, 1);
    assert_eq!(service.admitted("/", ANN, 2).await, 1);
}
