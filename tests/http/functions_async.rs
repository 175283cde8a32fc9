//! Async functions of the application: skips, costs and limits.

use std::sync::atomic::{AtomicUsize, Ordering};

use actix_throttle::{
    DynamicLimit, Identity, Limit, Rule, Throttle, concurrency_limit, rate_limit,
};
use actix_web::{
    HttpRequest, get, rt::task::yield_now, test::TestRequest, web, web::ServiceConfig,
};

use harness::http::app::{TestApp, get};

fn header<'a>(request: &'a HttpRequest, name: &str) -> Option<&'a str> {
    request.headers().get(name)?.to_str().ok()
}

async fn is_internal(request: &HttpRequest) -> bool {
    yield_now().await;
    header(request, "X-Internal").is_some()
}

async fn cost_of(request: &HttpRequest) -> u32 {
    yield_now().await;
    header(request, "X-Cost").map_or(1, |cost| cost.parse().expect("a number"))
}

async fn by_plan(request: &HttpRequest, _: &Identity) -> DynamicLimit {
    yield_now().await;
    match header(request, "X-Plan") {
        Some("pro") => Limit::per_minute(9).into(),
        Some("none") => Limit::per_minute(0).into(),
        Some("staff") => DynamicLimit::Unlimited,
        _ => DynamicLimit::Written,
    }
}

async fn by_option(request: &HttpRequest, identity: &Identity) -> Option<Limit> {
    match by_plan(request, identity).await {
        DynamicLimit::Limit(limit) => Some(limit),
        _ => None,
    }
}

fn sync_plan(request: &HttpRequest, _: &Identity) -> DynamicLimit {
    match header(request, "X-Plan") {
        Some("pro") => Some(Limit::per_minute(9)).into(),
        Some("staff") => DynamicLimit::Unlimited,
        _ => None.into(),
    }
}

fn sync_cost(_: &HttpRequest) -> u32 {
    COSTS.fetch_add(1, Ordering::SeqCst);
    1
}

static COSTS: AtomicUsize = AtomicUsize::new(0);

#[get("/all")]
#[rate_limit("5/minute", skip_if = is_internal, cost = cost_of, dynamic = by_plan)]
async fn all() -> &'static str {
    "ok"
}

#[get("/option")]
#[rate_limit("5/minute", dynamic = by_option)]
async fn option() -> &'static str {
    "ok"
}

#[get("/sync")]
#[rate_limit("5/minute", dynamic = sync_plan, cost = sync_cost)]
async fn sync() -> &'static str {
    "ok"
}

/// The async functions are called for each limit separately.
#[get("/stacked")]
#[rate_limit("5/minute", dynamic = by_plan)]
#[rate_limit("7/hour", cost = cost_of)]
#[concurrency_limit(max = 9, skip_if = is_internal)]
async fn stacked() -> &'static str {
    "ok"
}

fn routes(config: &mut ServiceConfig) {
    config.service((all, option, sync, stacked));
}

fn with(path: &str, name: &'static str, value: &'static str) -> TestRequest {
    get(path).insert_header((name, value))
}

#[actix_web::test]
async fn async_functions_are_waited_for() {
    let service = TestApp::new().await.service(routes).await;
    assert_eq!(service.get("/all").await.quota(), Some([5, 4, 60]));
    let costly = service.send(with("/all", "X-Cost", "3")).await;
    assert_eq!(costly.quota(), Some([5, 1, 60]));
    assert_eq!(service.send(with("/all", "X-Cost", "2")).await.status, 429);
    assert!(
        service
            .send(with("/all", "X-Internal", "1"))
            .await
            .is_unlimited()
    );
    let pro = service
        .send(with("/all", "X-Plan", "pro").insert_header(("X-Cost", "2")))
        .await;
    assert_eq!(pro.quota(), Some([9, 3, 60]));
    // `none` is no limit, so the written one applies, which is used up.
    let none = service.send(with("/all", "X-Plan", "none")).await;
    assert_eq!((none.status, none.quota()), (429, Some([5, 0, 60])));
}

#[actix_web::test]
async fn async_option_falls_back_to_the_written_limit() {
    let service = TestApp::new().await.service(routes).await;
    let pro = service.send(with("/option", "X-Plan", "pro")).await;
    assert_eq!(pro.quota(), Some([9, 8, 60]));
    assert_eq!(service.get("/option").await.quota(), Some([5, 3, 60]));
}

#[actix_web::test]
async fn unlimited_request_is_neither_counted_nor_denied() {
    let service = TestApp::new().await.service(routes).await;
    for path in ["/all", "/sync"] {
        for _ in 0..20 {
            let staff = service.send(with(path, "X-Plan", "staff")).await;
            assert_eq!(staff.status, 200, "{path}");
            assert!(staff.is_unlimited(), "{path}");
        }
        assert_eq!(service.get(path).await.quota(), Some([5, 4, 60]), "{path}");
        let pro = service.send(with(path, "X-Plan", "pro")).await;
        assert_eq!(pro.quota(), Some([9, 7, 60]), "{path}");
    }
    assert_eq!(
        COSTS.load(Ordering::SeqCst),
        2,
        "what is unlimited costs nothing"
    );
}

#[actix_web::test]
async fn unlimited_by_one_limit_is_held_to_the_others() {
    let service = TestApp::new().await.service(routes).await;
    let staff = || with("/stacked", "X-Plan", "staff");
    let first = service.send(staff().insert_header(("X-Cost", "4"))).await;
    assert_eq!(first.quota(), Some([7, 3, 3_600]));
    let denied = service.send(staff().insert_header(("X-Cost", "4"))).await;
    assert_eq!(denied.status, 429);
    assert_eq!(service.get("/stacked").await.quota(), Some([7, 2, 3_600]));
    assert_eq!(service.get("/stacked").await.quota(), Some([7, 1, 3_600]));
}

#[actix_web::test]
async fn rules_by_hand_take_async_functions() {
    let rule = Rule::new(Limit::per_minute(5).name("by hand"))
        .skip_if_async(is_internal)
        .cost_async(async |request: &HttpRequest| cost_of(request).await)
        .dynamic_async(by_plan);
    // The compiler infers the type of the `None` that a closure returns.
    let other = Rule::new(Limit::per_hour(99).name("other")).dynamic(|_, _| None);
    let throttle = Throttle::new()
        .paths("^/", [rule, other])
        .expect("valid rules");
    let ok = |config: &mut ServiceConfig| {
        config.route("/by-hand", web::get().to(async || "ok"));
    };
    let service = TestApp::new().await.behind(throttle, ok).await;
    let ask = |name, value| service.send(with("/by-hand", name, value));
    assert_eq!(ask("X-Cost", "3").await.quota(), Some([5, 2, 60]));
    assert_eq!(ask("X-Plan", "pro").await.quota(), Some([9, 5, 60]));
    for (name, value, left) in [("X-Plan", "staff", 96), ("X-Internal", "1", 95)] {
        assert_eq!(ask(name, value).await.quota(), Some([99, left, 3_600]));
    }
    assert_eq!(ask("X-Cost", "2").await.status, 429);
}
