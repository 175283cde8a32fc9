//! What observers hear: one event for each limit that has a part in a decision, whichever way the
//! request takes, and what happens besides.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use actix_throttle::{
    Algorithm, CircuitState, Concurrency, Config, DecisionResult, Event, FailureMode, Identifier,
    Identity, Limit, Observer, Paths, RateLimiter, RequestError, Rule, Throttle, Unidentified,
    concurrency_limit, config::Format, rate_limit,
};
use actix_web::{
    App, HttpRequest, HttpResponse, get,
    rt::{spawn, task::yield_now},
    web::ServiceConfig,
};

use harness::http::app::{CLIENT, TestApp, TestService, get};

/// Everything that was heard, a line an event.
#[derive(Default)]
struct Heard(Mutex<Vec<String>>);

impl Observer for Heard {
    fn observe(&self, event: &Event<'_>) {
        let line = match event {
            Event::Decided(decided) => {
                let (result, source) = (decided.result().as_str(), decided.source().as_str());
                let remaining = decided
                    .remaining()
                    .map_or("-".into(), |left| left.to_string());
                format!(
                    "{} {result} by {source}: {remaining} left",
                    decided.policy()
                )
            }
            Event::Refunded { policy, cost, .. } => format!("{policy} refunded {cost}"),
            Event::StoreFailed { .. } => "store failed".to_owned(),
            Event::CircuitChanged { state, .. } => format!("circuit {state:?}"),
            Event::Reloaded { result, error, .. } => {
                format!("reload {} {}", result.as_str(), error.is_some())
            }
            Event::WaitBegan { policy, .. } => format!("{policy} wait began"),
            Event::WaitEnded {
                policy, end, time, ..
            } => format!("{policy} wait {} after {time:?}", end.as_str()),
            Event::PermitHeld { policy, .. } => format!("{policy} held"),
            Event::PermitReleased { policy, time, .. } => {
                format!("{policy} released after {time:?}")
            }
            Event::Changed { policy, change, .. } => format!("{policy} changed: {change:?}"),
            // Told from time to time.
            Event::StoreSized { .. } => return,
            other => format!("{other:?}"),
        };
        self.0.lock().expect("no panic").push(line);
    }
}

impl Heard {
    /// Takes what was heard since the last call.
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().expect("no panic"))
    }
}

async fn observed() -> (TestApp, Arc<Heard>) {
    let heard = Arc::new(Heard::default());
    let observer = Arc::clone(&heard);
    (
        TestApp::with(|builder| builder.observer(observer)).await,
        heard,
    )
}

#[get("/one")]
#[rate_limit("1/minute", name = "one")]
async fn one() -> &'static str {
    "ok"
}

#[get("/two")]
#[rate_limit("9/hour", name = "hour", cost = 2)]
#[rate_limit("1/minute", name = "minute")]
#[rate_limit("1/minute", name = "tried", zone = "tried", shadow)]
async fn two() -> &'static str {
    "ok"
}

#[get("/shadow")]
#[rate_limit("1/minute", name = "shadow", shadow)]
async fn shadow() -> &'static str {
    "ok"
}

#[get("/blocked")]
#[rate_limit("1/minute", name = "blocked", block = "1h")]
async fn blocked() -> &'static str {
    "ok"
}

const INSIDE: Limit = Limit::per_minute(1).name("inside");

#[get("/inside")]
async fn inside(request: HttpRequest, limiter: RateLimiter) -> Result<&'static str, RequestError> {
    limiter.enforce(&request, &INSIDE, "ann").await?;
    Ok("ok")
}

#[get("/refunded")]
#[rate_limit("3/minute", name = "refunded", refund_on = "4xx", cost = 2)]
async fn refunded() -> HttpResponse {
    HttpResponse::NotFound().finish()
}

#[get("/running")]
#[concurrency_limit(max = 1, name = "running")]
async fn running() -> &'static str {
    "ok"
}

#[get("/key")]
#[rate_limit("3/minute", name = "key", identifier = header("X-Api-Key"))]
async fn key() -> &'static str {
    "ok"
}

fn routes(config: &mut ServiceConfig) {
    config.service((one, two, shadow, blocked, inside, refunded, running, key));
}

#[actix_web::test]
async fn decisions_of_handlers_are_told_by_limit() {
    let (test_app, heard) = observed().await;
    let service = test_app.service(routes).await;
    for (path, expected) in [
        ("/one", &["one allowed by store: 0 left"][..]),
        ("/one", &["one denied by store: 0 left"]),
        (
            "/two",
            &[
                "hour allowed by store: 7 left",
                "minute allowed by store: 0 left",
                "tried allowed by store: 0 left",
            ],
        ),
        // The hour had room, and has neither admitted nor denied the request.
        ("/two", &["minute denied by store: 0 left"]),
        ("/shadow", &["shadow allowed by store: 0 left"]),
        ("/shadow", &["shadow shadow_denied by store: 0 left"]),
        ("/blocked", &["blocked allowed by store: 0 left"]),
        ("/blocked", &["blocked blocked by store: 0 left"]),
        ("/inside", &["inside allowed by store: 0 left"]),
        ("/inside", &["inside denied by store: 0 left"]),
        (
            "/refunded",
            &["refunded allowed by store: 1 left", "refunded refunded 2"],
        ),
        (
            "/running",
            &[
                "running held",
                "running allowed by store: 0 left",
                "running released after 0ns",
            ],
        ),
    ] {
        service.get(path).await;
        let mut told = heard.take();
        told.sort();
        let mut expected: Vec<_> = expected.to_vec();
        expected.sort_unstable();
        assert_eq!(told, expected, "{path}");
    }
}

#[actix_web::test]
async fn decisions_of_the_middleware_are_told() {
    let (test_app, heard) = observed().await;
    let api = Limit::per_minute(1).name("api");
    let throttle = Throttle::new()
        .paths(Paths::all(), [Rule::new(api)])
        .expect("valid rules");
    let service = test_app.behind(throttle, routes).await;
    service.get("/one").await;
    let told = [
        "api allowed by store: 0 left",
        "one allowed by store: 0 left",
    ];
    assert_eq!(heard.take(), told);
    service.get("/one").await;
    assert_eq!(heard.take(), ["api denied by store: 0 left"]);
}

#[actix_web::test]
async fn decisions_by_hand_are_told_and_peeks_are_not() {
    let (test_app, heard) = observed().await;
    let limiter = &test_app.limiter;
    let (first, second) = (Limit::per_minute(2).name("a"), Limit::per_hour(2).name("b"));
    limiter.check(&first, "ann").await.expect("decided");
    assert_eq!(heard.take(), ["a allowed by store: 1 left"]);
    let all = [(&first, "ann"), (&second, "ann")];
    limiter.check_all(&all).await.expect("decided");
    let told = ["a allowed by store: 0 left", "b allowed by store: 1 left"];
    assert_eq!(heard.take(), told);
    limiter.peek(&first, "ann").await.expect("decided");
    limiter.remaining(&first, "ann").await.expect("decided");
    assert!(heard.take().is_empty());
    let hour = Duration::from_secs(3600);
    limiter.reset(&first, "ann").await.expect("reset");
    limiter.block(&first, "ann", hour).await.expect("blocked");
    limiter.unblock(&first, "ann").await.expect("unblocked");
    let told = [
        "a changed: Reset",
        "a changed: Block(3600s)",
        "a changed: Unblock",
    ];
    assert_eq!(heard.take(), told);
}

#[actix_web::test]
async fn wait_tells_its_end_and_not_each_denial_on_the_way() {
    let (test_app, heard) = observed().await;
    let (limiter, clock) = (test_app.limiter.clone(), &test_app.clock);
    let leaky = Limit::per_second(1)
        .algorithm(Algorithm::LeakyBucket)
        .name("leaky");
    limiter.acquire(&leaky, "ann").await.expect("at once");
    assert_eq!(heard.take(), ["leaky allowed by store: 0 left"]);

    let waits = spawn({
        let limiter = limiter.clone();
        async move { limiter.acquire(&leaky, "ann").await.map(drop) }
    });
    yield_now().await;
    assert_eq!(heard.take(), ["leaky wait began"]);
    clock.advance(Duration::from_secs(1));
    waits.await.expect("no panic").expect("granted");
    let told = [
        "leaky wait granted after 1s",
        "leaky allowed by store: 0 left",
    ];
    assert_eq!(heard.take(), told);

    let half = Duration::from_millis(500);
    let late = limiter.acquire(&leaky, "ann").max_wait(half).await;
    late.expect_err("there is room after a second");
    assert_eq!(heard.take(), ["leaky timed_out by store: 0 left"]);
    let now = limiter.acquire(&leaky, "ann").try_now().await;
    assert!(now.expect("decided").is_none());
    assert_eq!(heard.take(), ["leaky denied by store: 0 left"]);

    let leaves = spawn({
        let limiter = limiter.clone();
        async move { limiter.acquire(&leaky, "ann").await.map(drop) }
    });
    yield_now().await;
    leaves.abort();
    let _ = leaves.await;
    let told = [
        "leaky wait began",
        "leaky wait canceled after 0ns",
        "leaky canceled by local: - left",
    ];
    assert_eq!(heard.take(), told);
}

#[actix_web::test]
async fn permits_are_told_from_grant_to_release() {
    let (test_app, heard) = observed().await;
    let jobs = Concurrency::new(1).name("jobs");
    let semaphore = test_app.limiter.semaphore(&jobs, "ann");
    let guard = semaphore.acquire().await.expect("free");
    assert_eq!(heard.take(), ["jobs held", "jobs allowed by store: 0 left"]);
    assert!(semaphore.try_acquire().await.expect("decided").is_none());
    assert_eq!(heard.take(), ["jobs denied by store: 0 left"]);
    test_app.clock.advance(Duration::from_secs(2));
    drop(guard);
    assert_eq!(heard.take(), ["jobs released after 2s"]);
}

#[actix_web::test]
async fn request_without_an_identity_is_told_once_it_is_rejected() {
    let heard = Arc::new(Heard::default());
    let observer = Arc::clone(&heard);
    let test_app = TestApp::with(|builder| {
        builder
            .observer(observer)
            .on_unidentified(|_| HttpResponse::Unauthorized().finish())
    });
    let service = test_app.await.service(routes).await;
    assert_eq!(service.get("/key").await.status, 401);
    assert_eq!(heard.take(), ["key unidentified by local: - left"]);

    let observer = Arc::clone(&heard);
    let counted = TestApp::with(|builder| {
        builder
            .observer(observer)
            .on_unidentified(|_| Unidentified::CountByIp)
    });
    let service = counted.await.service(routes).await;
    assert_eq!(service.get("/key").await.status, 200);
    assert_eq!(heard.take(), ["key allowed by store: 2 left"]);
}

#[actix_web::test]
async fn each_observer_hears_each_event_in_the_order_of_their_adding() {
    struct Named(&'static str, Arc<Heard>);
    impl Observer for Named {
        fn observe(&self, event: &Event<'_>) {
            if let Event::Decided(decided) = event {
                let client = Identity::ip(CLIENT.parse().expect("an address"));
                assert_eq!(decided.identity(), Some(&client));
                assert_eq!(
                    (decided.cost(), decided.quota(), decided.is_shadow()),
                    (1, Some(1), false)
                );
                assert!(decided.limit().is_some() && decided.concurrency().is_none());
                assert_eq!(decided.result(), DecisionResult::Allowed);
                let mut heard = self.1.0.lock().expect("no panic");
                heard.push(self.0.to_owned());
            }
        }
    }
    let heard = Arc::new(Heard::default());
    let named = |name| Named(name, Arc::clone(&heard));
    let test_app = TestApp::with(|builder| builder.observer(named("a")).observer(named("b")));
    test_app.await.service(routes).await.get("/one").await;
    assert_eq!(heard.take(), ["a", "b"]);
}

#[actix_web::test]
async fn reloads_are_told_to_each_limiter_that_uses_the_configuration() {
    let text = |times: u32| format!("limits = {{ login = '{times}/minute' }}\nrules = []\n");
    let config = Config::parse(&text(1), Format::Toml).expect("valid");
    let heard = Arc::new(Heard::default());
    let built = || {
        let builder = RateLimiter::builder().memory().config(&config);
        builder.observer(Arc::clone(&heard)).build()
    };
    let first = built().await.expect("valid settings");
    let _second = built().await.expect("valid settings");
    assert_eq!(heard.take(), ["reload loaded false"; 2]);
    config.replace(&text(2)).expect("valid");
    assert_eq!(heard.take(), ["reload changed false"; 2]);
    drop(first);
    config.replace(&text(2)).expect("valid");
    assert_eq!(heard.take(), ["reload unchanged false"]);
    config.replace("limits = 1").expect_err("invalid");
    assert_eq!(heard.take(), ["reload refused true"]);
}

/// Decides a limit by a Redis that does not listen, until the circuit is open.
async fn undecided(mode: FailureMode) -> Vec<String> {
    let heard = Arc::new(Heard::default());
    let limiter = RateLimiter::builder()
        .redis_url("redis://127.0.0.1:1")
        .failure_mode(mode)
        .deadline(Duration::from_millis(10))
        .failure_threshold(1)
        .observer(Arc::clone(&heard))
        .build()
        .await
        .expect("a Redis that cannot be reached is a warning");
    let limit = Limit::per_minute(1).name("a");
    let mut told = Vec::new();
    for _ in 0..1_000 {
        let _ = limiter.check(&limit, "ann").await;
        told.extend(heard.take());
        if limiter.circuit() != CircuitState::Closed {
            let _ = limiter.check(&limit, "ann").await;
            told.extend(heard.take());
            return told;
        }
    }
    panic!("the circuit stays closed: {told:?}");
}

#[actix_web::test]
async fn check_that_the_store_cannot_decide_is_told_by_failure_mode() {
    for (mode, first, last) in [
        (
            FailureMode::Open,
            "a undecided_open by local: - left",
            "a undecided_open by local: - left",
        ),
        (
            FailureMode::Closed,
            "a undecided_closed by local: - left",
            "a undecided_closed by local: - left",
        ),
        (
            FailureMode::Local,
            "a allowed by local: 0 left",
            "a denied by local: 0 left",
        ),
    ] {
        let told = undecided(mode).await;
        let has = |line: &str| told.iter().any(|told| told == line);
        assert!(has("store failed") && has("circuit Open"), "{told:?}");
        assert!(has(first), "{told:?}");
        let decided = told.iter().rfind(|line| line.starts_with("a "));
        assert_eq!(decided.map(String::as_str), Some(last), "{told:?}");
    }
}

#[actix_web::test]
async fn message_of_a_rule_by_request_is_told() {
    let (test_app, heard) = observed().await;
    let rules = [Rule::new(Limit::per_minute(1).name("rule")).identifier(Identifier::ip())];
    let request = get("/").to_http_request();
    for expected in [
        "rule allowed by store: 0 left",
        "rule denied by store: 0 left",
    ] {
        let decided = test_app.limiter.check_request(&request, &rules).await;
        assert!(decided.expect("decided").is_some());
        assert_eq!(heard.take(), [expected]);
    }
}

/// A denial is a response like any other: it passes the middleware outside of the handler.
#[actix_web::test]
async fn denial_passes_the_middleware_outside() {
    let counted = Arc::new(Mutex::new(Vec::new()));
    let statuses = Arc::clone(&counted);
    let (test_app, _) = observed().await;
    let app = App::new()
        .app_data(test_app.limiter.clone())
        .configure(routes)
        .wrap_fn(move |request, service| {
            use actix_web::dev::Service;
            let statuses = Arc::clone(&statuses);
            let response = service.call(request);
            async move {
                let response = response.await?;
                let status = response.status().as_u16();
                statuses.lock().expect("no panic").push(status);
                Ok(response)
            }
        });
    let service = TestService::of(app).await;
    assert_eq!(service.statuses("/one", 2).await, [200, 429]);
    assert_eq!(*counted.lock().expect("no panic"), [200, 429]);
}
