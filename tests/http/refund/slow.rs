//! Refunds of slow handlers, while windows end and other requests arrive.

use std::{rc::Rc, time::Duration};

use actix_throttle::{Algorithm, HeaderStyle, Limit};
use actix_web::{
    rt,
    rt::task::JoinHandle,
    web::{self, ServiceConfig},
};
use tokio::sync::Semaphore;

use super::*;
use harness::http::app::TestApp;

const FIXED: Limit = Limit::per_minute(5)
    .algorithm(Algorithm::FixedWindow)
    .zone("fixed");
const ONE: Limit = Limit::per_hour(1).zone("one");

/// Responds at once, or when the test allows it.
async fn slowly(
    asked: web::Query<Asked>,
    waits: web::Query<Waits>,
    gates: web::Data<Gates>,
) -> HttpResponse {
    if waits.wait.is_some() {
        gates.started.add_permits(1);
        gates.resume.acquire().await.expect("open").forget();
    }
    answer(asked).await
}

type Arguments = (web::Query<Asked>, web::Query<Waits>, web::Data<Gates>);

#[derive(serde::Deserialize)]
struct Waits {
    wait: Option<u8>,
}

struct Gates {
    started: Semaphore,
    resume: Semaphore,
}

macro_rules! slow {
    ($($name:ident: $rule:expr;)+) => { $(
        async fn $name(gate: Limited<Arguments>) -> HttpResponse {
            static RULES: HandlerRules = HandlerRules::new(|| vec![$rule]);
            let handler = |(asked, waits, gates): Arguments| slowly(asked, waits, gates);
            run_limited(gate, &RULES, handler, respond).await
        }
    )+ };
}

slow! {
    fixed: rule(FIXED, "5xx");
    counter: rule(FIXED.algorithm(Algorithm::SlidingWindowCounter).zone("counter"), "5xx");
    log: rule(FIXED.algorithm(Algorithm::SlidingWindow).zone("log"), "5xx");
    one: rule(ONE, "5xx");
}

struct Scenario {
    service: Rc<TestService>,
    gates: web::Data<Gates>,
}

impl Scenario {
    async fn new(limiter: &RateLimiter) -> Self {
        let gates = web::Data::new(Gates {
            started: Semaphore::new(0),
            resume: Semaphore::new(0),
        });
        let routes = |config: &mut ServiceConfig| {
            config
                .app_data(gates.clone())
                .route("/fixed", web::get().to(fixed))
                .route("/counter", web::get().to(counter))
                .route("/log", web::get().to(log))
                .route("/one", web::get().to(one));
        };
        let service = Rc::new(service(limiter, routes).await);
        Self { service, gates }
    }

    /// Starts a request, and returns when it has reached its handler.
    async fn begin(&self, route: &'static str, status: u16) -> JoinHandle<TestResponse> {
        let service = Rc::clone(&self.service);
        let request = rt::spawn(async move {
            let path = format!("/{route}?status={status}&wait=1");
            service.get(&path).await
        });
        self.gates.started.acquire().await.expect("open").forget();
        request
    }

    /// Lets one waiting handler respond.
    async fn end(&self, request: JoinHandle<TestResponse>) -> TestResponse {
        self.gates.resume.add_permits(1);
        request.await.expect("an answer")
    }
}

#[actix_web::test]
async fn refund_never_reaches_a_later_window() {
    for target in STORES {
        let store = StoreFixture::new(target).await;
        let scenario = Scenario::new(&store.limiter).await;
        for route in ["fixed", "counter", "log"] {
            // The start of a minute, where the windows of all three algorithms begin.
            let now = store.clock.now().as_micros() as u64;
            store.advance(60_000_000 - now % 60_000_000);
            let late = scenario.begin(route, 500).await;
            store.advance(121_000_000);
            assert_eq!(
                scenario.service.answering(route, 200).await.remaining(),
                Some(4),
                "{route}"
            );
            assert_eq!(
                scenario.service.answering(route, 200).await.remaining(),
                Some(3),
                "{route}"
            );
            let answer = scenario.end(late).await;
            assert_eq!(answer.status, 500);
            assert_eq!(answer.remaining(), Some(3), "{route}");
            assert_eq!(
                scenario.service.answering(route, 200).await.remaining(),
                Some(2),
                "{route}"
            );
        }
    }
}

#[actix_web::test]
async fn headers_show_what_others_have_done_meanwhile() {
    for target in STORES {
        let store = StoreFixture::new(target).await;
        let scenario = Scenario::new(&store.limiter).await;
        let slow = scenario.begin("fixed", 503).await;
        store.advance(10_000_000);
        assert_eq!(
            scenario.service.answering("fixed", 200).await.quota(),
            Some([5, 3, 50])
        );
        store.advance(5_000_000);
        assert_eq!(scenario.end(slow).await.quota(), Some([5, 4, 45]));
    }
}

#[actix_web::test]
async fn epoch_of_the_reset_is_right_after_a_refund() {
    let test_app = TestApp::with(|builder| builder.headers(HeaderStyle::GitHub)).await;
    let scenario = Scenario::new(&test_app.limiter).await;
    let reset = |answer: TestResponse| answer.quota().expect("headers")[2];
    let first = reset(scenario.service.answering("fixed", 200).await);
    let slow = scenario.begin("fixed", 500).await;
    test_app.after_seconds(20);
    assert_eq!(reset(scenario.end(slow).await), first);
}

#[actix_web::test]
async fn refund_ends_a_remembered_denial_at_once() {
    for target in STORES {
        let store = StoreFixture::new(target).await;
        let scenario = Scenario::new(&store.limiter).await;
        let slow = scenario.begin("one", 500).await;
        for _ in 0..3 {
            assert_eq!(scenario.service.answering("one", 200).await.status, 429);
        }
        assert_eq!(scenario.end(slow).await.remaining(), Some(1));
        assert_eq!(
            scenario.service.answering("one", 200).await.status,
            200,
            "{target:?}"
        );
    }
}

#[actix_web::test]
async fn refund_brings_no_key_back() {
    for target in STORES {
        let store = StoreFixture::new(target).await;
        let scenario = Scenario::new(&store.limiter).await;
        let identity = store
            .limiter
            .client_identity("192.0.2.1".parse().expect("an address"));
        let slow = scenario.begin("fixed", 500).await;
        store
            .limiter
            .reset(&FIXED, identity)
            .await
            .expect("a store");
        assert_eq!(scenario.end(slow).await.quota(), Some([5, 5, 0]));
        // The reset has removed the key. A `DECR` would create it at -1, and admit one too many.
        assert_eq!(
            scenario.service.answering("fixed", 200).await.remaining(),
            Some(4)
        );
    }
}

#[actix_web::test]
async fn many_at_once_are_refunded_exactly_once_each() {
    for target in STORES {
        let store = StoreFixture::new(target).await;
        let scenario = Scenario::new(&store.limiter).await;
        for round in 0..3u64 {
            let mut open = Vec::new();
            for index in 0..5 {
                let status = if index < 4 { 500 } else { 200 };
                open.push(scenario.begin("fixed", status).await);
            }
            assert_eq!(scenario.service.answering("fixed", 500).await.status, 429);
            scenario.gates.resume.add_permits(open.len());
            for request in open {
                request.await.expect("an answer");
            }
            assert_eq!(
                scenario.service.answering("fixed", 500).await.remaining(),
                Some(4),
                "{round}"
            );
            store.clock.advance(Duration::from_secs(60));
        }
    }
}
