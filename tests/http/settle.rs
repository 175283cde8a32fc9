//! `settle`: the cost is an estimate, which the handler corrects by a `PendingCharge`.

use std::cell::Cell;

use actix_throttle::{Algorithm, Limit, Limited, Paths, PendingCharge, Rule, Throttle, rate_limit};
use actix_web::{
    Error, HttpRequest, HttpResponse, get,
    http::StatusCode,
    rt,
    web::{self, Bytes, ServiceConfig},
};
use futures_util::{StreamExt, future::ready, stream};
use harness::http::app::{TestApp, get as request, in_own_process};

fn estimate(request: &HttpRequest) -> u32 {
    request
        .match_info()
        .query("estimate")
        .parse()
        .expect("a number")
}

#[get("/tokens/{estimate}/{actual}")]
#[rate_limit(
    times = 100,
    seconds = 100,
    algorithm = "token_bucket",
    zone = "tokens",
    cost = estimate,
    settle
)]
async fn tokens(charge: PendingCharge, path: web::Path<(u32, u32)>) -> String {
    let estimate = charge.estimate();
    format!("{estimate} {}", charge.settle(path.1).await)
}

#[get("/stream/{estimate}/{actual}")]
#[rate_limit(
    times = 100,
    seconds = 100,
    algorithm = "token_bucket",
    zone = "tokens",
    cost = estimate,
    settle
)]
async fn streamed(charge: PendingCharge, path: web::Path<(u32, u32)>) -> HttpResponse {
    let chunks = stream::iter(["a", "b", "c"]).map(|chunk| Ok::<_, Error>(Bytes::from(chunk)));
    let end = stream::once(async move { charge.settle(path.1).await });
    HttpResponse::Ok().streaming(chunks.chain(end.filter_map(|_| ready(None))))
}

#[get("/stacked/{actual}")]
#[rate_limit("100/minute", name = "tokens", cost = 10, settle)]
#[rate_limit("1000/day", name = "daily", cost = 10, settle)]
#[rate_limit("5/minute", name = "requests", algorithm = "fixed_window")]
async fn stacked(charge: PendingCharge, actual: web::Path<u32>) -> &'static str {
    charge.settle(*actual).await;
    "ok"
}

#[get("/failing/{status}/{actual}")]
#[rate_limit("100/minute", cost = 10, settle, refund_on = "5xx")]
async fn failing(charge: PendingCharge, path: web::Path<(u16, u32)>) -> HttpResponse {
    let (status, actual) = path.into_inner();
    let status = StatusCode::from_u16(status).expect("a status");
    if actual > 0 {
        charge.settle(actual).await;
        return HttpResponse::new(status);
    }
    // Too late: the status has been decided on by then.
    let end = stream::once(async move { charge.settle(70).await })
        .map(|settled| Ok::<_, Error>(Bytes::from(settled.to_string())));
    HttpResponse::build(status).streaming(end)
}

#[get("/twice")]
#[rate_limit("100/minute", cost = 10, settle)]
async fn twice(first: PendingCharge, second: PendingCharge) -> String {
    let settled = (first.settle(20).await, second.settle(30).await);
    format!("{settled:?}")
}

#[get("/free")]
#[rate_limit("100/minute", cost = nothing, settle)]
async fn free(charge: PendingCharge) -> String {
    charge.settle(30).await.to_string()
}

fn nothing(_: &HttpRequest) -> u32 {
    0
}

#[get("/skipped")]
#[rate_limit("100/minute", cost = 10, settle, skip_if = always)]
async fn skipped(charge: PendingCharge) -> String {
    format!("{} {}", charge.estimate(), charge.settle(30).await)
}

fn always(_: &HttpRequest) -> bool {
    true
}

#[get("/one")]
#[rate_limit("100/minute", settle)]
async fn one(charge: PendingCharge) -> &'static str {
    charge.settle(7).await;
    "ok"
}

async fn bare(charge: PendingCharge, actual: web::Path<u32>) -> String {
    format!("{} {}", charge.estimate(), charge.settle(*actual).await)
}

fn routes(config: &mut ServiceConfig) {
    config
        .service((
            tokens, streamed, stacked, failing, twice, free, skipped, one,
        ))
        .route("/bare/{actual}", web::get().to(bare));
}

#[actix_web::test]
async fn response_shows_what_was_settled() {
    let service = TestApp::new().await.service(routes).await;
    let answer = service.get("/tokens/30/10").await;
    assert_eq!(answer.text(), "30 true");
    assert_eq!(answer.quota(), Some([100, 90, 10]));
    let answer = service.get("/tokens/10/30").await;
    assert_eq!(answer.quota(), Some([100, 60, 40]));
    let answer = service.get("/tokens/10/0").await;
    assert_eq!(answer.quota(), Some([100, 60, 40]));
    let answer = service.get("/tokens/10/10").await;
    assert_eq!(answer.quota(), Some([100, 50, 50]));
}

#[actix_web::test]
async fn debt_says_exactly_when_it_is_paid() {
    let app = TestApp::new().await;
    let service = app.service(routes).await;
    let answer = service.get("/tokens/10/150").await;
    assert_eq!((answer.status, answer.quota()), (200, Some([100, 0, 150])));
    let denied = service.get("/tokens/1/1").await;
    assert_eq!(denied.status, 429);
    assert_eq!(denied.quota(), Some([100, 0, 150]));
    assert_eq!(denied.retry_after(), Some(51));
    assert_eq!(denied.json()["retry_after_ms"], 51_000);
    app.after_millis(50_999);
    assert_eq!(service.get("/tokens/1/1").await.status, 429);
    app.after_millis(1);
    assert_eq!(service.get("/tokens/1/1").await.status, 200);
}

#[actix_web::test]
async fn streamed_body_settles_at_its_end() {
    let service = TestApp::new().await.service(routes).await;
    let answer = service.get("/stream/10/60").await;
    assert_eq!(answer.text(), "abc");
    // The headers were sent before.
    assert_eq!(answer.remaining(), Some(90));
    assert_eq!(service.get("/tokens/1/1").await.remaining(), Some(39));
}

#[actix_web::test]
async fn only_limits_with_settle_are_settled() {
    let app = TestApp::new().await;
    let service = app.service(routes).await;
    let answer = service.get("/stacked/70").await;
    assert_eq!(answer.remaining(), Some(4));
    service.get("/stacked/70").await;
    let denied = service.get("/stacked/1").await;
    assert_eq!(denied.status, 429);
    assert_eq!(
        denied.json()["violated-policies"],
        serde_json::json!(["tokens"])
    );
    app.after_seconds(60);
    // Of the day, 140 are used; of the minute, nothing.
    let answer = service.get("/stacked/10").await;
    assert_eq!((answer.status, answer.remaining()), (200, Some(4)));
}

#[actix_web::test]
async fn refund_comes_before_or_after_the_settlement() {
    let service = TestApp::new().await.service(routes).await;
    // Settled first, and refunded at what it was settled.
    assert_eq!(service.get("/failing/500/60").await.remaining(), Some(100));
    assert_eq!(service.get("/failing/200/60").await.remaining(), Some(40));
    // Refunded first: the settlement at the end of the body changes nothing.
    let answer = service.get("/failing/500/0").await;
    assert_eq!((answer.remaining(), answer.text()), (Some(40), "false"));
    let answer = service.get("/failing/200/0").await;
    assert_eq!((answer.remaining(), answer.text()), (Some(30), "true"));
    assert_eq!(service.get("/failing/200/1").await.status, 429);
}

#[actix_web::test]
async fn second_extraction_settles_nothing() {
    let service = TestApp::new().await.service(routes).await;
    let answer = service.get("/twice").await;
    assert_eq!(
        (answer.text(), answer.remaining()),
        ("(true, false)", Some(80))
    );
}

#[actix_web::test]
async fn estimate_of_nothing_is_charged_at_the_settlement() {
    let service = TestApp::new().await.service(routes).await;
    for remaining in [70, 40, 10, 0, 0] {
        let answer = service.get("/free").await;
        assert_eq!(
            (answer.text(), answer.remaining()),
            ("true", Some(remaining))
        );
    }
}

#[actix_web::test]
async fn uncharged_request_has_nothing_to_settle() {
    let service = TestApp::new().await.service(routes).await;
    let answer = service.get("/skipped").await;
    assert_eq!((answer.status, answer.text()), (200, "0 true"));
    assert!(answer.is_unlimited());
    assert_eq!(service.get("/bare/5").await.text(), "0 true");
    assert_eq!(service.get("/one").await.remaining(), Some(93));
}

#[actix_web::test]
async fn middleware_offers_its_charge_to_the_handler() {
    let app = TestApp::new().await;
    let limit = Limit::per_minute(50)
        .cost(5)
        .algorithm(Algorithm::FixedWindow);
    let paths = Paths::regex("^/(bare|one)").expect("a regex");
    let throttle = Throttle::new().paths(paths, [Rule::new(limit).settle()]);
    let service = app.behind(throttle.expect("rules"), routes).await;
    let answer = service.get("/bare/20").await;
    assert_eq!((answer.text(), answer.remaining()), ("5 true", Some(30)));
    // The attribute's charge and the middleware's are settled together.
    assert_eq!(service.get("/one").await.remaining(), Some(23));
}

#[actix_web::test]
async fn middleware_refuses_a_leased_estimate() {
    let rule = || Rule::new(Limit::per_minute(50).name("leased").lease(5)).settle();
    let error = Throttle::new().paths(Paths::all(), [rule()]).unwrap_err();
    let said = error.to_string();
    assert!(
        said.contains("`settle` corrects the charge of each request"),
        "{said}"
    );
    assert!(said.contains("the limit `leased`"), "{said}");
}

/// A body that its client does not read to the end: the estimate stands, unless it is settled in
/// its `drop`.
#[actix_web::test]
async fn dropped_body_leaves_the_estimate() {
    thread_local!(static SETTLES: Cell<bool> = const { Cell::new(false) });

    struct Open(Option<PendingCharge>);

    impl Drop for Open {
        fn drop(&mut self) {
            if let Some(charge) = self.0.take().filter(|_| SETTLES.get()) {
                rt::spawn(charge.settle(3));
            }
        }
    }

    #[rate_limit("100/minute", cost = 10, settle)]
    async fn endless(charge: PendingCharge) -> HttpResponse {
        let open = Open(Some(charge));
        let chunks = stream::repeat_with(move || {
            let _ = &open;
            Ok::<_, Error>(Bytes::from_static(b"x"))
        });
        HttpResponse::Ok().streaming(chunks)
    }

    let app = TestApp::new().await;
    let service = actix_web::test::init_service(
        actix_web::App::new()
            .app_data(app.limiter.clone())
            .route("/", web::get().to(endless)),
    )
    .await;
    let left = |headers: &actix_web::http::header::HeaderMap| {
        let left = headers.get("X-RateLimit-Remaining").expect("a header");
        left.to_str().expect("a number").to_owned()
    };
    let mut seen = Vec::new();
    // The last request sees what was settled for the one before.
    for settles in [false, true, false] {
        SETTLES.set(settles);
        let response = actix_web::test::call_service(&service, request("/").to_request()).await;
        seen.push(left(response.headers()));
        drop(response);
        rt::task::yield_now().await;
    }
    assert_eq!(seen, ["90", "80", "77"]);
}

#[actix_web::test]
async fn handler_is_tested_without_its_limits() {
    #[rate_limit("100/minute", cost = 10, settle)]
    async fn limited(charge: PendingCharge) -> String {
        charge.settle(3).await.to_string()
    }

    let response = limited(Limited::bypass((PendingCharge::default(),))).await;
    assert_eq!(response.status(), 200);
}

#[test]
fn charge_that_nothing_can_settle_is_reported() {
    #[rate_limit("100/minute", cost = 10)]
    async fn forgotten(charge: PendingCharge) -> String {
        charge.estimate().to_string()
    }

    let test = "settle::charge_that_nothing_can_settle_is_reported";
    let Some(log) = in_own_process(test) else {
        env_logger::init();
        rt::System::new().block_on(async {
            let routes = |config: &mut ServiceConfig| {
                config.route("/forgotten", web::get().to(forgotten));
            };
            let service = TestApp::new().await.service(routes).await;
            for _ in 0..2 {
                assert_eq!(service.get("/forgotten").await.text(), "0");
            }
        });
        return;
    };
    let said = "the handler of /forgotten takes a `PendingCharge`, and none of its limits has";
    assert_eq!(log.matches(said).count(), 1, "{log}");
}
