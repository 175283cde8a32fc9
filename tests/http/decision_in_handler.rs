//! Decisions that handlers read (`RateLimits`) and limits that they decide themselves (`enforce`).
//! `stores` has on every store what they say in the course of several requests.

use actix_throttle::{
    Decision, FailureMode, Limit, LimitStatus, RateLimiter, RateLimits, RequestError, Rule,
    Throttle, rate_limit,
};
use actix_web::{
    App, FromRequest, HttpRequest, HttpResponse, dev::Payload, get, post, web, web::ServiceConfig,
};

use harness::http::app::{TestApp, TestService, post};

const PER_EMAIL: Limit = Limit::per_minute(2).name("email").zone("email");

/// Writes each limit as its name, what remains, and `!` if it is exceeded.
fn shown(limits: &RateLimits) -> String {
    let one = |limit: &LimitStatus| {
        let exceeded = if limit.is_exceeded() { "!" } else { "" };
        format!("{}={}{exceeded}", limit.name(), limit.remaining())
    };
    let all: Vec<_> = limits.iter().map(one).collect();
    let strictest = limits.strictest().map_or("none", LimitStatus::name);
    format!("{} {strictest} {}", all.join(","), limits.would_deny())
}

#[get("/single")]
#[rate_limit("3/minute", name = "single")]
async fn single(limits: RateLimits) -> String {
    shown(&limits)
}

/// An extractor of the application that reads the decisions while it runs.
struct Own(String);

impl FromRequest for Own {
    type Error = actix_web::Error;
    type Future = std::pin::Pin<Box<dyn Future<Output = Result<Self, actix_web::Error>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            actix_web::rt::task::yield_now().await;
            let limits = RateLimits::extract(&request).await?;
            Ok(Self(shown(&limits)))
        })
    }
}

#[get("/own")]
#[rate_limit("3/minute", name = "own")]
async fn own(Own(limits): Own) -> String {
    limits
}

#[get("/unlimited")]
async fn unlimited(limits: RateLimits) -> String {
    shown(&limits)
}

#[derive(serde::Deserialize)]
struct Login {
    email: String,
}

#[post("/login")]
#[rate_limit("5/minute", name = "ip", refund_on = "429")]
async fn login(
    request: HttpRequest,
    limits: RateLimits,
    limiter: RateLimiter,
    body: web::Json<Login>,
) -> Result<String, RequestError> {
    let decision = limiter.enforce(&request, &PER_EMAIL, &*body.email).await?;
    assert!(decision.is_allowed());
    Ok(shown(&limits))
}

#[post("/plain")]
async fn plain(
    request: HttpRequest,
    limiter: RateLimiter,
    body: web::Json<Login>,
) -> Result<&'static str, RequestError> {
    limiter.enforce(&request, &PER_EMAIL, &*body.email).await?;
    Ok("ok")
}

fn routes(config: &mut ServiceConfig) {
    config
        .service((single, own, unlimited))
        .service((login, plain));
}

fn as_user(path: &str, email: &str) -> actix_web::test::TestRequest {
    post(path).set_json(serde_json::json!({ "email": email }))
}

#[actix_web::test]
async fn single_limit_reaches_direct_and_nested_extractors() {
    let service = TestApp::new().await.service(routes).await;
    let answer = service.get("/single").await;
    assert_eq!(answer.text(), "single=2 single false");
    assert_eq!(answer.quota(), Some([3, 2, 60]));
    let answer = service.get("/own").await;
    assert_eq!(answer.text(), "own=2 own false");
    assert_eq!(answer.quota(), Some([3, 2, 60]));
}

#[actix_web::test]
async fn request_without_limits_has_none_to_read() {
    let service = TestApp::new().await.service(routes).await;
    let answer = service.get("/unlimited").await;
    assert_eq!(answer.text(), " none false");
    assert!(answer.is_unlimited());
}

#[actix_web::test]
async fn handler_reads_the_limits_of_a_middleware_too() {
    let test_app = TestApp::new().await;
    let throttle = Throttle::new()
        .paths(".*", [Rule::new(Limit::per_minute(9).name("all"))])
        .expect("an entry");
    let service = test_app.behind(throttle, routes).await;
    let answer = service.get("/single").await;
    assert_eq!(answer.text(), "all=8,single=2 single false");
    let answer = service.get("/unlimited").await;
    assert_eq!(answer.text(), "all=7 all false");
    assert_eq!(answer.quota(), Some([9, 7, 60]));
}

#[actix_web::test]
async fn enforced_limit_without_attribute_has_headers_on_denials() {
    let service = TestApp::new().await.service(routes).await;
    for _ in 0..2 {
        let answer = service.send(as_user("/plain", "a@x")).await;
        assert_eq!((answer.status, answer.quota()), (200, None));
    }
    let denied = service.send(as_user("/plain", "a@x")).await;
    assert_eq!((denied.status, denied.quota()), (429, Some([2, 0, 60])));
    assert_eq!(denied.retry_after(), Some(60));
}

#[actix_web::test]
async fn enforced_limit_uses_on_limited_of_the_limiter() {
    fn teapot(request: &HttpRequest, denied: &Decision) -> HttpResponse {
        let limit = denied.strictest().expect("a limit");
        HttpResponse::ImATeapot()
            .insert_header(("X-Own", "yes"))
            .body(format!("{} {}", request.path(), limit.name()))
    }
    let test_app = TestApp::with(|builder| builder.on_limited(teapot)).await;
    let service = test_app.service(routes).await;
    for _ in 0..2 {
        service.send(as_user("/login", "a@x")).await;
    }
    let denied = service.send(as_user("/login", "a@x")).await;
    assert_eq!((denied.status, denied.text()), (418, "/login email"));
    assert_eq!(denied.header("x-own"), Some("yes"));
    assert_eq!(denied.quota(), Some([2, 0, 60]));
}

#[actix_web::test]
async fn enforced_limit_is_503_if_the_closed_store_fails() {
    let limiter = RateLimiter::builder()
        .redis_url("redis://127.0.0.1:1")
        .failure_mode(FailureMode::Closed)
        .build()
        .await
        .expect("a limiter");
    let app = App::new().app_data(limiter).configure(routes);
    let service = TestService::of(app).await;
    let answer = service.send(as_user("/plain", "a@x")).await;
    assert_eq!((answer.status, answer.retry_after()), (503, Some(1)));
    assert_eq!(
        answer.header("content-type"),
        Some("application/problem+json")
    );
}

#[actix_web::test]
async fn extracted_limiter_is_the_nearest_and_500_without_one() {
    let service = TestService::new(routes).await;
    let answer = service.send(as_user("/plain", "a@x")).await;
    assert_eq!((answer.status, answer.text()), (500, ""));
    let (outer, inner) = (TestApp::new().await, TestApp::new().await);
    let app = App::new().app_data(outer.limiter.clone()).service(
        web::scope("")
            .app_data(inner.limiter.clone())
            .configure(routes),
    );
    let service = TestService::of(app).await;
    service.send(as_user("/plain", "a@x")).await;
    for (limiter, remaining) in [(&outer.limiter, 2), (&inner.limiter, 1)] {
        let seen = limiter.peek(&PER_EMAIL, "a@x").await.expect("a decision");
        assert_eq!(seen.limits()[0].remaining(), remaining);
    }
}
