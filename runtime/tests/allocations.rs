//! Metrics cost no allocation: a request allocates as often with them as without. The test counts
//! every allocation of its thread, so it is a program of its own.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use actix_throttle::{Limit, Metrics, RateLimiter, rate_limit};
use actix_web::{
    App, get,
    test::{TestRequest, init_service},
};
use allocation_counter::measure;
use futures_util::FutureExt;
use metrics::{
    Counter, Gauge, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit,
    set_default_local_recorder,
};
use tokio::task::unconstrained;

/// A recorder that allocates nothing when it counts: what is measured is this crate's part.
#[derive(Default)]
struct Counting {
    counted: Arc<AtomicU64>,
    recorded: Arc<Samples>,
}

#[derive(Default)]
struct Samples(AtomicU64);

impl HistogramFn for Samples {
    fn record(&self, _: f64) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Recorder for Counting {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, _: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(Arc::clone(&self.counted))
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(Arc::new(AtomicU64::new(0)))
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(Arc::clone(&self.recorded))
    }
}

const API: Limit = Limit::per_minute(1_000_000).name("api");

#[get("/")]
#[rate_limit("1000000/minute", name = "handler")]
async fn handler() -> &'static str {
    "ok"
}

/// The number of requests that are measured together.
const REQUESTS: u64 = 100;

async fn limiter(metrics: Option<Metrics>) -> RateLimiter {
    let builder = RateLimiter::builder().memory();
    let builder = match metrics {
        Some(metrics) => builder.observer(metrics),
        None => builder.prefix("without"),
    };
    builder.build().await.expect("valid settings")
}

/// The number of allocations that some calls by hand make.
fn by_hand(limiter: &RateLimiter) -> u64 {
    let check = || {
        // The call runs without tokio's cooperative budget, which the loop would use up.
        let decision = unconstrained(limiter.check(&API, "ann")).now_or_never();
        decision.expect("in memory").expect("decided").is_allowed()
    };
    assert!(check(), "the first one registers the policy");
    let measured = measure(|| assert!((0..REQUESTS).all(|_| check())));
    measured.count_total
}

/// The number of allocations that some requests of a handler make.
async fn by_request(limiter: &RateLimiter) -> u64 {
    use actix_web::dev::Service;
    let app = App::new().app_data(limiter.clone()).service(handler);
    let service = init_service(app).await;
    let send = || {
        let peer = "192.0.2.1:40000".parse().expect("an address");
        let request = TestRequest::get().uri("/").peer_addr(peer).to_request();
        let response = unconstrained(service.call(request)).now_or_never();
        let response = response.expect("at once").expect("no error");
        assert_eq!(response.status(), 200);
    };
    // The first requests fill pools of actix.
    (0..REQUESTS).for_each(|_| send());
    measure(|| (0..REQUESTS).for_each(|_| send())).count_total
}

#[actix_web::test]
async fn metrics_allocate_nothing_for_a_request() {
    let recorder = Counting::default();
    let _recording = set_default_local_recorder(&recorder);
    let with = limiter(Some(Metrics::new())).await;
    let without = limiter(None).await;

    let before = recorder.counted.load(Ordering::Relaxed);
    let (measured, expected) = (by_hand(&with), by_hand(&without));
    let counted = recorder.counted.load(Ordering::Relaxed) - before;
    assert_eq!(counted, REQUESTS + 1, "each decision was counted");
    assert_eq!(measured, expected, "by hand");

    let samples = recorder.recorded.0.load(Ordering::Relaxed);
    let (measured, expected) = (by_request(&with).await, by_request(&without).await);
    let sampled = recorder.recorded.0.load(Ordering::Relaxed) - samples;
    assert_eq!(sampled, 2 * REQUESTS, "each decision was recorded");
    assert_eq!(measured, expected, "by request");
}
