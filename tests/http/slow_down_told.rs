//! Observers and metrics hear of delayed requests: what became of them, once.

use std::{
    pin::Pin,
    sync::{Arc, Mutex},
};

use actix_throttle::{Event, Metrics, Observer, concurrency_limit, rate_limit};
use actix_web::{HttpResponse, get, rt::task::yield_now, web::ServiceConfig};
use futures_util::FutureExt;
use metrics::set_default_local_recorder;
use metrics_exporter_prometheus::PrometheusBuilder;

use harness::http::app::{TestApp, TestResponse, TestService};

/// The decisions, a line for each limit.
#[derive(Default)]
struct Decisions(Mutex<Vec<String>>);

impl Observer for Decisions {
    fn observe(&self, event: &Event<'_>) {
        if let Event::Decided(decided) = event {
            let (policy, result) = (decided.policy(), decided.result().as_str());
            let left = decided.remaining().map_or(-1, i64::from);
            let line = format!("{policy} {result}, {left} left");
            self.0.lock().expect("no panic").push(line);
        }
    }
}

impl Decisions {
    /// Takes what was heard since the last call.
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().expect("no panic"))
    }
}

async fn observed(max_waiting: usize) -> (TestApp, Arc<Decisions>) {
    let heard = Arc::new(Decisions::default());
    let observer = Arc::clone(&heard);
    let test_app = TestApp::with(|builder| builder.max_waiting(max_waiting).observer(observer));
    (test_app.await, heard)
}

#[get("/rate")]
#[rate_limit(
    "9/minute",
    name = "rate",
    slow_after = 1,
    slow_by = "1s",
    slow_max = "1s"
)]
async fn rate() -> &'static str {
    "ok"
}

#[get("/permit")]
#[rate_limit(
    "9/minute",
    name = "rate",
    slow_after = 1,
    slow_by = "1s",
    slow_max = "1s"
)]
#[concurrency_limit(max = 1, name = "permit", zone = "permits", identifier = global)]
async fn permit() -> &'static str {
    "ok"
}

#[get("/waiting")]
#[rate_limit(
    "9/minute",
    name = "rate",
    slow_after = 1,
    slow_by = "1s",
    slow_max = "1s"
)]
#[concurrency_limit(
    max = 1,
    name = "permit",
    zone = "permits",
    identifier = global,
    max_wait = "60s"
)]
async fn waiting() -> &'static str {
    "ok"
}

#[get("/held")]
#[concurrency_limit(max = 1, name = "permit", zone = "permits", identifier = global)]
async fn held() -> HttpResponse {
    std::future::pending().await
}

fn routes(config: &mut ServiceConfig) {
    config.service((rate, permit, waiting, held));
}

type Answer<'a> = Pin<Box<dyn Future<Output = TestResponse> + 'a>>;

/// Sends a request and lets it run until it waits for the clock.
async fn send<'a>(service: &'a TestService, path: &'a str) -> Answer<'a> {
    let mut answer: Answer<'a> = Box::pin(service.get(path));
    for _ in 0..3 {
        assert!(answer.as_mut().now_or_never().is_none(), "{path} waits");
        yield_now().await;
    }
    answer
}

#[actix_web::test]
async fn admission_is_told_after_the_delay_and_once() {
    let (test_app, heard) = observed(9).await;
    let service = test_app.service(routes).await;
    assert_eq!(service.get("/rate").await.status, 200);
    assert_eq!(heard.take(), ["rate allowed, 8 left"]);
    let waits = send(&service, "/rate").await;
    assert_eq!(heard.take(), [""; 0]);
    test_app.after_seconds(1);
    assert_eq!(waits.await.status, 200);
    assert_eq!(heard.take(), ["rate allowed, 7 left"]);
}

#[actix_web::test]
async fn denial_in_place_of_a_delay_is_told_as_one() {
    let (test_app, heard) = observed(0).await;
    let service = test_app.service(routes).await;
    assert_eq!(service.statuses("/rate", 2).await, [200, 429]);
    assert_eq!(
        heard.take(),
        ["rate allowed, 8 left", "rate denied, 8 left"]
    );
}

#[actix_web::test]
async fn canceled_delay_is_told_as_the_admission_that_it_was() {
    let (test_app, heard) = observed(9).await;
    let service = test_app.service(routes).await;
    assert_eq!(service.get("/rate").await.status, 200);
    drop(send(&service, "/rate").await);
    assert_eq!(
        heard.take(),
        ["rate allowed, 8 left", "rate allowed, 7 left"]
    );
}

#[actix_web::test]
async fn permit_beside_a_delay_is_told_once() {
    let (test_app, heard) = observed(9).await;
    let service = test_app.service(routes).await;
    assert_eq!(service.get("/permit").await.status, 200);
    heard.take();
    let waits = send(&service, "/permit").await;
    test_app.after_seconds(1);
    assert_eq!(waits.await.status, 200);
    assert_eq!(
        heard.take(),
        ["rate allowed, 7 left", "permit allowed, 0 left"]
    );
}

/// The admission was the last word, although the client leaves while it waits for a permit again.
#[actix_web::test]
async fn canceled_wait_for_the_permit_after_a_delay_is_told_once() {
    let (test_app, heard) = observed(9).await;
    let service = test_app.service(routes).await;
    assert_eq!(service.get("/waiting").await.status, 200);
    let mut delayed = send(&service, "/waiting").await;
    let _holder = send(&service, "/held").await;
    heard.take();
    test_app.after_seconds(1);
    for _ in 0..3 {
        assert!(
            delayed.as_mut().now_or_never().is_none(),
            "the permit is held"
        );
        yield_now().await;
    }
    drop(delayed);
    assert_eq!(
        heard.take(),
        ["rate allowed, 7 left", "permit allowed, 0 left"]
    );
}

#[actix_web::test]
async fn denial_for_want_of_a_permit_is_told_as_the_permits() {
    let (test_app, heard) = observed(9).await;
    let service = test_app.service(routes).await;
    assert_eq!(service.get("/permit").await.status, 200);
    let waits = send(&service, "/permit").await;
    let _holder = send(&service, "/held").await;
    heard.take();
    test_app.after_seconds(1);
    assert_eq!(waits.await.status, 429);
    assert_eq!(heard.take(), ["permit denied, 0 left"]);
}

#[actix_web::test]
async fn metrics_count_each_delayed_request_under_its_result() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    let recorder = Box::leak(Box::new(recorder));
    let _recording = set_default_local_recorder(recorder);
    let test_app = TestApp::with(|builder| builder.max_waiting(1).observer(Metrics::new())).await;
    let service = test_app.service(routes).await;
    assert_eq!(service.get("/rate").await.status, 200);
    let waits = send(&service, "/rate").await;
    assert_eq!(service.get("/rate").await.status, 429);
    test_app.after_seconds(1);
    assert_eq!(waits.await.status, 200);
    let text = handle.render();
    let of = |result: &str| {
        let is_of = |line: &&str| {
            let labels = [
                r#"policy="rate""#.to_owned(),
                format!("result=\"{result}\""),
            ];
            line.starts_with("rate_limit_requests_total{")
                && labels.iter().all(|label| line.contains(label))
        };
        let numbers = text.lines().filter(is_of);
        let numbers = numbers.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok());
        numbers.sum::<f64>()
    };
    assert_eq!((of("allowed"), of("denied")), (2.0, 1.0), "{text}");
}
