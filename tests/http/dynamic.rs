//! Limits that a function of the application chooses at run time.

use std::time::Duration;

use actix_throttle::{Algorithm, HeaderStyle, Identity, Limit, rate_limit};
use actix_web::{HttpRequest, get, test::TestRequest, web::ServiceConfig};

use harness::http::app::{TestApp, get};

fn by_plan(request: &HttpRequest, _: &Identity) -> Option<Limit> {
    let minute = Duration::from_secs(60);
    match request.headers().get("X-Plan")?.to_str().ok()? {
        "pro" => Some(Limit::per_minute(5)),
        "small" => Some(Limit::per_minute(1)),
        "hourly" => Some(Limit::per_hour(7)),
        "fixed" => Some(Limit::per_minute(4).algorithm(Algorithm::FixedWindow)),
        "named" => Some(
            Limit::per_minute(6)
                .name("plan")
                .zone("http::dynamic::plan"),
        ),
        "zero" => Some(Limit::per_minute(0)),
        "endless" => Some(Limit::new(1, minute * 10_000_000)),
        "unprintable" => Some(Limit::per_minute(9).name("\u{e4}")),
        _ => None,
    }
}

#[get("/plan")]
#[rate_limit("3/minute", dynamic = by_plan)]
async fn planned() -> &'static str {
    "ok"
}

/// Chooses a limit by the group of the identity that it receives.
fn by_group(_: &HttpRequest, identity: &Identity) -> Option<Limit> {
    match identity.group_name()? {
        "large" => Some(Limit::per_minute(10)),
        _ => None,
    }
}

fn with_group(request: &HttpRequest) -> (String, String) {
    let group = request.headers().get("X-Plan");
    let group = group.and_then(|group| group.to_str().ok());
    ("ann".to_owned(), group.unwrap_or("none").to_owned())
}

#[get("/group")]
#[rate_limit("3/minute", identifier = with_group, dynamic = by_group)]
async fn grouped() -> &'static str {
    "ok"
}

#[get("/stacked")]
#[rate_limit("3/minute", dynamic = by_plan)]
#[rate_limit("5/hour")]
async fn stacked() -> &'static str {
    "ok"
}

/// Everything that a chosen limit may leave open.
#[get("/inherited")]
#[rate_limit(
    "6/minute",
    algorithm = "fixed_window",
    cost = 2,
    block = "5m",
    dynamic = by_plan
)]
async fn inherited() -> &'static str {
    "ok"
}

fn routes(config: &mut ServiceConfig) {
    config.service((planned, grouped, stacked, inherited));
}

fn on(plan: &str, path: &str) -> TestRequest {
    get(path).insert_header(("X-Plan", plan))
}

#[actix_web::test]
async fn larger_plan_raises_the_limit_and_keeps_what_was_used() {
    let service = TestApp::new().await.service(routes).await;
    assert_eq!(service.statuses("/plan", 4).await, [200, 200, 200, 429]);
    assert_eq!(
        service.send(on("pro", "/plan")).await.quota(),
        Some([5, 1, 60])
    );
    assert_eq!(
        service.send(on("pro", "/plan")).await.quota(),
        Some([5, 0, 60])
    );
    assert_eq!(service.send(on("pro", "/plan")).await.status, 429);
}

#[actix_web::test]
async fn smaller_plan_lowers_the_limit_and_locks_none_out() {
    let test_app = TestApp::new().await;
    let service = test_app.service(routes).await;
    assert_eq!(service.send(on("pro", "/plan")).await.status, 200);
    test_app.after_seconds(10);
    assert_eq!(service.send(on("pro", "/plan")).await.status, 200);
    test_app.after_seconds(10);
    let denied = service.send(on("small", "/plan")).await;
    assert_eq!((denied.status, denied.quota()), (429, Some([1, 0, 50])));
    assert_eq!(denied.retry_after(), Some(50), "both must have gone");
    test_app.after_seconds(50);
    assert_eq!(service.send(on("small", "/plan")).await.status, 200);
}

#[actix_web::test]
async fn none_falls_back_to_the_written_limit() {
    let service = TestApp::new().await.service(routes).await;
    let answer = service.send(on("unknown", "/plan")).await;
    assert_eq!(answer.quota(), Some([3, 2, 60]));
    assert_eq!(service.get("/plan").await.quota(), Some([3, 1, 60]));
}

#[actix_web::test]
async fn invalid_limit_falls_back_to_the_written_one() {
    let service = TestApp::new().await.service(routes).await;
    for (name, remaining) in [("zero", 2), ("endless", 1), ("unprintable", 0)] {
        let answer = service.send(on(name, "/plan")).await;
        assert_eq!(answer.quota(), Some([3, remaining, 60]), "{name}");
    }
    assert_eq!(service.send(on("zero", "/plan")).await.status, 429);
}

#[actix_web::test]
async fn another_window_or_algorithm_or_zone_is_another_counter() {
    let service = TestApp::new().await.service(routes).await;
    assert_eq!(service.get("/plan").await.quota(), Some([3, 2, 60]));
    for (plan, quota) in [
        ("hourly", [7, 6, 3_600]),
        ("fixed", [4, 3, 60]),
        ("named", [6, 5, 60]),
    ] {
        let answer = service.send(on(plan, "/plan")).await;
        assert_eq!(answer.quota(), Some(quota), "{plan}");
    }
    assert_eq!(service.get("/plan").await.quota(), Some([3, 1, 60]));
}

#[actix_web::test]
async fn chosen_limit_goes_by_the_written_name_unless_it_has_its_own() {
    let test_app = TestApp::with(|builder| builder.headers(HeaderStyle::Ietf)).await;
    let service = test_app.service(routes).await;
    for (plan, policy) in [
        ("none", r#""planned";q=3;w=60"#),
        ("pro", r#""planned";q=5;w=60"#),
        ("named", r#""plan";q=6;w=60"#),
    ] {
        let answer = service.send(on(plan, "/plan")).await;
        assert_eq!(answer.header("RateLimit-Policy"), Some(policy));
    }
}

#[actix_web::test]
async fn chosen_limit_takes_on_what_it_leaves_open() {
    let test_app = TestApp::new().await;
    let service = test_app.service(routes).await;
    assert_eq!(service.get("/inherited").await.quota(), Some([6, 4, 60]));
    test_app.after_seconds(20);
    let chosen = service.send(on("pro", "/inherited")).await;
    assert_eq!(chosen.quota(), Some([5, 1, 40]), "one counter, one cost");
    let denied = service.send(on("pro", "/inherited")).await;
    assert_eq!((denied.status, denied.retry_after()), (429, Some(300)));
    let blocked = service.get("/inherited").await;
    assert_eq!((blocked.status, blocked.retry_after()), (429, Some(300)));
}

#[actix_web::test]
async fn function_receives_the_identity() {
    let service = TestApp::new().await.service(routes).await;
    assert_eq!(
        service.send(on("large", "/group")).await.quota(),
        Some([10, 9, 60])
    );
    assert_eq!(
        service.send(on("tiny", "/group")).await.quota(),
        Some([3, 1, 60])
    );
}

#[actix_web::test]
async fn chosen_limit_stands_beside_written_ones() {
    let service = TestApp::new().await.service(routes).await;
    for remaining in (0..5).rev() {
        let answer = service.send(on("pro", "/stacked")).await;
        assert_eq!((answer.status, answer.remaining()), (200, Some(remaining)));
    }
    let denied = service.send(on("named", "/stacked")).await;
    assert_eq!((denied.status, denied.retry_after()), (429, Some(3_600)));
    // The chosen limit has the window of the other one: they share a counter, and the stricter of
    // the two holds.
    let denied = service.send(on("hourly", "/stacked")).await;
    assert_eq!((denied.status, denied.retry_after()), (429, Some(3_600)));
}
