//! Metrics as Prometheus scrapes them.

use std::time::Duration;

use actix_throttle::{
    Algorithm, Concurrency, Config, Limit, Metrics, Paths, RateLimiter, Rule, Throttle,
    concurrency_limit, config::Format, rate_limit,
};
use actix_web::{HttpResponse, get, web::ServiceConfig};
use metrics::{LocalRecorderGuard, set_default_local_recorder};
use metrics_exporter_prometheus::{
    Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder,
};

use harness::http::app::TestApp;

#[get("/one")]
#[rate_limit("2/minute", name = "one", refund_on = "4xx")]
async fn one() -> &'static str {
    "ok"
}

#[get("/missing")]
#[rate_limit("2/minute", name = "missing", refund_on = "4xx")]
async fn missing() -> HttpResponse {
    HttpResponse::NotFound().finish()
}

#[get("/run")]
#[concurrency_limit(max = 2, name = "run")]
async fn run() -> &'static str {
    "ok"
}

fn routes(config: &mut ServiceConfig) {
    config.service((one, missing, run));
}

/// An exporter of the test alone. A local recorder of the facade is for one thread, and each test
/// has a thread of its own.
fn exporter() -> (&'static PrometheusRecorder, PrometheusHandle) {
    let mut exporter = PrometheusBuilder::new();
    for (name, buckets) in Metrics::buckets() {
        let matcher = Matcher::Full(name.to_owned());
        exporter = exporter
            .set_buckets_for_metric(matcher, buckets)
            .expect("buckets");
    }
    let recorder = exporter.build_recorder();
    let handle = recorder.handle();
    (Box::leak(Box::new(recorder)), handle)
}

fn recording() -> (LocalRecorderGuard<'static>, PrometheusHandle) {
    let (recorder, handle) = exporter();
    (set_default_local_recorder(recorder), handle)
}

/// The value of one series.
fn value(handle: &PrometheusHandle, series: &str) -> Option<f64> {
    let text = handle.render();
    let mut lines = text.lines().filter(|line| !line.starts_with('#'));
    let value = lines.find_map(|line| line.strip_prefix(series)?.strip_prefix(' '))?;
    Some(value.parse().expect("a number"))
}

fn requests(policy: &str, result: &str, source: &str) -> String {
    format!(
        "rate_limit_requests_total{{policy=\"{policy}\",result=\"{result}\",source=\"{source}\"}}"
    )
}

async fn measured() -> (TestApp, LocalRecorderGuard<'static>, PrometheusHandle) {
    let (guard, handle) = recording();
    let test_app = TestApp::with(|builder| builder.observer(Metrics::new())).await;
    (test_app, guard, handle)
}

#[actix_web::test]
async fn decisions_are_counted_by_policy_result_and_source() {
    let (test_app, _recording, handle) = measured().await;
    let service = test_app.service(routes).await;
    assert_eq!(service.statuses("/one", 4).await, [200, 200, 429, 429]);
    service.get("/missing").await;
    service.get("/run").await;
    for (series, expected) in [
        (requests("one", "allowed", "store"), 2.0),
        (requests("one", "denied", "store"), 2.0),
        (requests("one", "denied", "denial_cache"), 0.0),
        (requests("one", "undecided_open", "local"), 0.0),
        (requests("missing", "allowed", "store"), 1.0),
        ("rate_limit_refunds_total{policy=\"missing\"}".into(), 1.0),
        ("rate_limit_refunds_total{policy=\"one\"}".into(), 0.0),
        ("rate_limit_running{policy=\"run\"}".into(), 0.0),
        ("rate_limit_run_seconds_count{policy=\"run\"}".into(), 1.0),
        (
            "rate_limit_utilization_ratio_bucket{policy=\"one\",le=\"0.5\"}".into(),
            1.0,
        ),
        (
            "rate_limit_utilization_ratio_bucket{policy=\"one\",le=\"0.9\"}".into(),
            1.0,
        ),
        (
            "rate_limit_utilization_ratio_bucket{policy=\"one\",le=\"1\"}".into(),
            4.0,
        ),
        // The counters of `one` and `run` are left: the refund has emptied that of `missing`.
        ("rate_limit_keys".into(), 2.0),
        ("rate_limit_evictions_total".into(), 0.0),
        ("rate_limit_circuit{state=\"closed\"}".into(), 1.0),
        ("rate_limit_circuit{state=\"open\"}".into(), 0.0),
    ] {
        assert_eq!(
            value(&handle, &series),
            Some(expected),
            "{series}\n{}",
            handle.render()
        );
    }
    // An identity is never a label, nor is anything else of a request.
    assert!(!handle.render().contains("192.0.2"));
}

#[actix_web::test]
async fn series_begin_at_zero_before_the_first_request() {
    let (_recording, handle) = recording();
    let text = "limits = { login = { rate = '1/minute', name = 'of the file' } }\n\
                rules = [{ path = '^/api', limits = [{ rate = '1/minute', name = 'of a rule' }] }]";
    let config = Config::parse(text, Format::Toml).expect("valid");
    let metrics = Metrics::new().policies(["named"]);
    let built = RateLimiter::builder().memory().config(&config);
    let limiter = built.observer(metrics).build().await.expect("valid");
    let rules = [Rule::new(Limit::per_minute(1).name("of the middleware"))];
    let throttle = Throttle::new()
        .paths(Paths::all(), rules)
        .expect("valid")
        .limiter(limiter.clone());
    let test_app = TestApp::new().await;
    let _service = test_app.behind(throttle, routes).await;
    for policy in ["of the file", "of a rule", "of the middleware", "named"] {
        for (result, source) in [("allowed", "store"), ("canceled", "local")] {
            let series = requests(policy, result, source);
            assert_eq!(value(&handle, &series), Some(0.0), "{series}");
        }
    }
    let good = "rate_limit_config_last_reload_successful";
    let hash = || value(&handle, "rate_limit_config_hash").expect("a hash");
    let first = hash();
    assert!(first > 0.0);
    config.replace("limits = 1").expect_err("invalid");
    assert_eq!((value(&handle, good), hash()), (Some(0.0), first));
    config.replace("rules = []").expect("valid");
    assert_eq!(value(&handle, good), Some(1.0));
    assert_ne!(hash(), first);
    let reloads = |result: &str| format!("rate_limit_reloads_total{{result=\"{result}\"}}");
    for (result, expected) in [("changed", 1.0), ("refused", 1.0), ("unchanged", 0.0)] {
        assert_eq!(value(&handle, &reloads(result)), Some(expected), "{result}");
    }
}

#[actix_web::test]
async fn waits_and_permits_are_measured() {
    let (test_app, _recording, handle) = measured().await;
    let leaky = Limit::per_second(1)
        .algorithm(Algorithm::LeakyBucket)
        .name("leaky");
    let limiter = test_app.limiter.clone();
    limiter.acquire(&leaky, "ann").await.expect("at once");
    let waits = actix_web::rt::spawn(async move {
        let permit = limiter.acquire(&leaky, "ann").await;
        drop(permit.expect("granted"));
    });
    actix_web::rt::task::yield_now().await;
    let waiting = "rate_limit_waiting{policy=\"leaky\"}";
    assert_eq!(value(&handle, waiting), Some(1.0));
    test_app.clock.advance(Duration::from_secs(1));
    waits.await.expect("no panic");
    assert_eq!(value(&handle, waiting), Some(0.0));
    let sum = "rate_limit_wait_seconds_sum{policy=\"leaky\"}";
    assert_eq!(value(&handle, sum), Some(1.0));

    let jobs = Concurrency::new(2).name("jobs");
    let semaphore = test_app.limiter.semaphore(&jobs, "ann");
    let guard = semaphore.acquire().await.expect("free");
    let running = "rate_limit_running{policy=\"jobs\"}";
    assert_eq!(value(&handle, running), Some(1.0));
    test_app.clock.advance(Duration::from_secs(3));
    drop(guard);
    assert_eq!(value(&handle, running), Some(0.0));
    let sum = "rate_limit_run_seconds_sum{policy=\"jobs\"}";
    assert_eq!(value(&handle, sum), Some(3.0));
}

#[actix_web::test]
async fn limiters_of_one_process_have_a_label_each() {
    let (_recording, handle) = recording();
    let limit = Limit::per_minute(9).name("login");
    for name in ["a", "b"] {
        let metrics = Metrics::labeled("limiter", name);
        let test_app = TestApp::with(|builder| builder.observer(metrics)).await;
        test_app
            .limiter
            .check(&limit, "ann")
            .await
            .expect("decided");
    }
    for name in ["a", "b"] {
        let series = format!(
            "rate_limit_requests_total{{policy=\"login\",result=\"allowed\",source=\"store\",limiter=\"{name}\"}}"
        );
        assert_eq!(value(&handle, &series), Some(1.0), "{}", handle.render());
    }
}

#[actix_web::test]
async fn full_store_counts_evictions() {
    let (_recording, handle) = recording();
    let test_app = TestApp::with(|builder| builder.max_keys(10).observer(Metrics::new())).await;
    let limit = Limit::per_minute(9).name("a");
    for number in 0..32 {
        let identity = format!("client {number}");
        let decided = test_app.limiter.check(&limit, identity).await;
        decided.expect("decided");
    }
    assert_eq!(value(&handle, "rate_limit_keys"), Some(10.0));
    assert_eq!(value(&handle, "rate_limit_evictions_total"), Some(22.0));
}
