//! Requests that are delayed more and more, once much of a limit is used.

use std::{pin::Pin, time::Duration};

use actix_throttle::{
    Builder, Concurrency, Config, Enforcement, Identifier, Limit, Paths, RateLimiter, Rule,
    Throttle, concurrency_limit, config::Format, rate_limit,
};
use actix_web::{
    App, HttpRequest, HttpResponse, get,
    rt::task::yield_now,
    test::TestRequest,
    web::{self, ServiceConfig},
};
use futures_util::FutureExt;

use harness::{
    ServerVersion,
    http::app::{TestApp, TestResponse, TestService, get as request},
    shared,
    stores::unique,
};

#[get("/slow")]
#[rate_limit("6/minute", slow_after = 2, slow_by = "200ms", slow_max = "500ms")]
async fn slow() -> &'static str {
    "ok"
}

#[get("/cost")]
#[rate_limit(
    "9/minute",
    cost = cost,
    slow_after = 2,
    slow_by = "1s",
    slow_max = "1m"
)]
async fn by_cost() -> &'static str {
    "ok"
}

fn cost(request: &HttpRequest) -> u32 {
    request.query_string().parse().unwrap_or(1)
}

/// Two slow-downs, of which the longer one counts.
#[get("/stacked")]
#[rate_limit("9/minute", slow_after = 1, slow_by = "1s", slow_max = "1m")]
#[rate_limit("9/hour", slow_after = 2, slow_by = "4s", slow_max = "1m")]
async fn stacked() -> &'static str {
    "ok"
}

#[get("/permit")]
#[rate_limit("9/minute", slow_after = 1, slow_by = "1s", slow_max = "1m")]
#[concurrency_limit(max = 1, name = "permit", identifier = global)]
async fn permit() -> &'static str {
    "ok"
}

#[get("/held")]
#[concurrency_limit(max = 1, name = "permit", zone = "permits", identifier = global)]
async fn held() -> HttpResponse {
    std::future::pending().await
}

#[get("/behind-held")]
#[rate_limit(
    "9/minute",
    name = "rate",
    slow_after = 1,
    slow_by = "1s",
    slow_max = "1m"
)]
#[concurrency_limit(max = 1, name = "permit", zone = "permits", identifier = global)]
async fn behind_held() -> &'static str {
    "ok"
}

/// Waits for room first, and is delayed then.
#[get("/wait")]
#[rate_limit(
    "2/minute",
    max_wait = "10m",
    slow_after = 1,
    slow_by = "1s",
    slow_max = "1s"
)]
async fn wait() -> &'static str {
    "ok"
}

const AFTER: u32 = 1;

#[get("/const")]
#[rate_limit("3/minute", slow_after = AFTER, slow_by = "1s", slow_max = "1s")]
async fn by_const() -> &'static str {
    "ok"
}

fn routes(config: &mut ServiceConfig) {
    config
        .service((slow, by_cost, stacked, permit, held, behind_held))
        .service((wait, by_const));
}

type Answer<'a> = Pin<Box<dyn Future<Output = TestResponse> + 'a>>;

/// Sends a request and lets it run until it waits for the clock.
async fn send<'a>(service: &'a TestService, path: &'a str) -> Answer<'a> {
    let mut answer: Answer<'a> = Box::pin(service.get(path));
    assert!(is_waiting(&mut answer).await, "{path} is not delayed");
    answer
}

async fn is_waiting(answer: &mut Answer<'_>) -> bool {
    for _ in 0..3 {
        if answer.as_mut().now_or_never().is_some() {
            return false;
        }
        yield_now().await;
    }
    true
}

/// Asserts that the next request is delayed by this many milliseconds, and returns its answer.
async fn delayed(test_app: &TestApp, service: &TestService, path: &str, ms: u64) -> TestResponse {
    let mut answer = send(service, path).await;
    test_app.after_micros(ms * 1_000 - 1);
    assert!(is_waiting(&mut answer).await, "{path} waits for {ms} ms");
    test_app.after_micros(1);
    answer.now_or_never().expect("the delay is over")
}

#[actix_web::test]
async fn each_further_request_is_delayed_by_a_step_more() {
    let test_app = TestApp::new().await;
    let service = test_app.service(routes).await;
    assert_eq!(service.statuses("/slow", 2).await, [200, 200]);
    for (ms, left) in [(200, 3), (400, 2), (500, 1), (500, 0)] {
        let answer = delayed(&test_app, &service, "/slow", ms).await;
        assert_eq!((answer.status, answer.remaining()), (200, Some(left)));
    }
    // `times` still denies, and at once.
    let denied = service.get("/slow").now_or_never().expect("no delay");
    assert_eq!(denied.status, 429);
    test_app.after_seconds(60);
    assert_eq!(service.statuses("/slow", 2).await, [200, 200]);
}

#[actix_web::test]
async fn several_requests_are_delayed_at_a_time() {
    let test_app = TestApp::new().await;
    let service = test_app.service(routes).await;
    service.statuses("/slow", 2).await;
    let (third, mut fourth) = (send(&service, "/slow").await, send(&service, "/slow").await);
    test_app.after_millis(200);
    assert_eq!(third.await.status, 200);
    assert!(is_waiting(&mut fourth).await);
    test_app.after_millis(200);
    assert_eq!(fourth.await.status, 200);
}

#[actix_web::test]
async fn headers_tell_the_time_after_the_delay() {
    let test_app = TestApp::new().await;
    let service = test_app.service(routes).await;
    service.statuses("/cost?2", 1).await;
    let answer = delayed(&test_app, &service, "/cost?6", 6_000).await;
    assert_eq!(answer.quota(), Some([9, 1, 54]), "{answer:?}");
}

#[actix_web::test]
async fn cost_counts_and_no_cost_is_no_delay() {
    let test_app = TestApp::new().await;
    let service = test_app.service(routes).await;
    assert_eq!(service.get("/cost?2").await.status, 200);
    delayed(&test_app, &service, "/cost?3", 3_000).await;
    let free = service.get("/cost?0").now_or_never();
    assert_eq!(free.expect("not counted, so no delay").status, 200);
    delayed(&test_app, &service, "/cost", 4_000).await;
}

#[actix_web::test]
async fn use_of_each_algorithm_delays() {
    let limits = |algorithm: &str| {
        let words = "slow_after = 1, slow_by = '1s', slow_max = '1m'";
        format!("[[rules]]\nlimits = [{{ {algorithm}, {words} }}]")
    };
    for algorithm in [
        "rate = '5/hour', algorithm = 'sliding_window'",
        "rate = '5/hour', algorithm = 'sliding_window_counter'",
        "rate = '5/hour', algorithm = 'fixed_window'",
        "rate = '1/hour', algorithm = 'token_bucket', capacity = 5",
        "rate = '1/hour', algorithm = 'token_bucket', capacity = 5, refill = 'interval'",
        "times = 5, every = 'day'",
    ] {
        let config = Config::parse(&limits(algorithm), Format::Toml).expect(algorithm);
        let test_app = TestApp::new().await;
        let free = |config: &mut ServiceConfig| {
            config.route("/", web::get().to(HttpResponse::Ok));
        };
        let service = test_app.behind(Throttle::from_config(&config), free).await;
        assert_eq!(service.get("/").await.status, 200, "{algorithm}");
        for ms in [1_000, 2_000, 3_000, 4_000] {
            let answer = delayed(&test_app, &service, "/", ms).await;
            assert_eq!(answer.status, 200, "{algorithm}");
        }
        assert_eq!(service.get("/").await.status, 429, "{algorithm}");
    }
}

#[actix_web::test]
async fn the_longest_of_several_delays_counts() {
    let test_app = TestApp::new().await;
    let service = test_app.service(routes).await;
    assert_eq!(service.get("/stacked").await.status, 200);
    delayed(&test_app, &service, "/stacked", 1_000).await;
    delayed(&test_app, &service, "/stacked", 4_000).await;
}

#[actix_web::test]
async fn only_enforced_limits_delay() {
    let test_app = TestApp::new().await;
    let service = test_app.service(routes).await;
    for mode in [Enforcement::Shadow, Enforcement::Off] {
        test_app.limiter.set_enforcement(Enforcement::On);
        service.statuses("/slow", 2).await;
        let answer = send(&service, "/slow").await;
        // The clock stands still: the switch ends the delay.
        test_app.limiter.set_enforcement(mode);
        assert_eq!(answer.await.status, 200, "{mode:?}");
        assert_eq!(service.get("/slow").await.status, 200, "{mode:?}");
        test_app.after_seconds(60);
    }
}

#[actix_web::test]
async fn delayed_requests_are_bounded_and_denials_uncounted() {
    let test_app = TestApp::with(|builder| builder.max_waiting(2)).await;
    let service = test_app.service(routes).await;
    assert_eq!(service.get("/cost?2").await.status, 200);
    let (first, mut second) = (
        send(&service, "/cost?1").await,
        send(&service, "/cost?1").await,
    );
    let denied = service.get("/cost?1").now_or_never().expect("no delay");
    assert_eq!((denied.status, denied.retry_after()), (429, Some(1)));
    assert_eq!(denied.remaining(), Some(5), "its charge was refunded");
    test_app.after_seconds(1);
    assert_eq!(first.await.status, 200);
    // There is room for another one, which is the third that counts.
    let mut third = send(&service, "/cost?1").await;
    test_app.after_seconds(1);
    assert_eq!((&mut second).await.status, 200);
    assert!(is_waiting(&mut third).await);
    test_app.after_seconds(2);
    assert_eq!(third.await.remaining(), Some(4));
}

#[actix_web::test]
async fn without_room_to_wait_a_delay_is_a_denial() {
    let test_app = TestApp::with(|builder| builder.max_waiting(0)).await;
    let service = test_app.service(routes).await;
    assert_eq!(service.statuses("/slow", 3).await, [200, 200, 429]);
    let denied = service.get("/slow").await;
    assert_eq!(
        (denied.remaining(), denied.retry_after()),
        (Some(4), Some(60))
    );
}

#[actix_web::test]
async fn client_that_leaves_makes_room_and_stays_counted() {
    let test_app = TestApp::with(|builder| builder.max_waiting(1)).await;
    let service = test_app.service(routes).await;
    service.statuses("/slow", 2).await;
    let leaves = send(&service, "/slow").await;
    assert_eq!(service.get("/slow").await.status, 429);
    drop(leaves);
    let answer = delayed(&test_app, &service, "/slow", 400).await;
    assert_eq!((answer.status, answer.remaining()), (200, Some(2)));
}

#[actix_web::test]
async fn delayed_request_holds_no_permit() {
    let test_app = TestApp::new().await;
    let service = test_app.service(routes).await;
    let other = || service.send(TestRequest::get().uri("/permit").peer_addr(peer(9)));
    assert_eq!(service.get("/permit").await.status, 200);
    let waits = send(&service, "/permit").await;
    // The only permit is free for another client, whose request is not delayed.
    assert_eq!(other().await.status, 200);
    test_app.after_seconds(1);
    assert_eq!(waits.await.status, 200);
}

fn peer(last: u8) -> std::net::SocketAddr {
    ([192, 0, 2, last], 1).into()
}

#[actix_web::test]
async fn delayed_request_without_a_permit_is_denied_and_uncounted() {
    let test_app = TestApp::new().await;
    let service = test_app.service(routes).await;
    assert_eq!(service.get("/behind-held").await.status, 200);
    let waits = send(&service, "/behind-held").await;
    let mut holder: Answer<'_> = Box::pin(service.get("/held"));
    assert!(is_waiting(&mut holder).await, "the handler runs");
    test_app.after_seconds(1);
    let denied = waits.await;
    assert_eq!(denied.status, 429);
    assert!(denied.text().contains("permit"), "{denied:?}");
    drop(holder);
    // Only the first request counts, so the next one is the second.
    let answer = delayed(&test_app, &service, "/behind-held", 1_000).await;
    assert_eq!(answer.status, 200);
}

#[actix_web::test]
async fn request_waits_for_room_before_it_is_delayed() {
    let test_app = TestApp::new().await;
    let service = test_app.service(routes).await;
    assert_eq!(service.get("/wait").await.status, 200);
    test_app.after_seconds(30);
    delayed(&test_app, &service, "/wait", 1_000).await;
    let mut third = send(&service, "/wait").await;
    test_app.after_seconds(29);
    assert!(
        is_waiting(&mut third).await,
        "its turn has come, and its delay begins"
    );
    test_app.after_seconds(1);
    assert_eq!(third.await.status, 200);
}

#[actix_web::test]
async fn constants_set_where_it_begins() {
    let test_app = TestApp::new().await;
    let service = test_app.service(routes).await;
    assert_eq!(service.get("/const").await.status, 200);
    delayed(&test_app, &service, "/const", 1_000).await;
}

#[actix_web::test]
async fn rules_by_hand_delay() {
    let test_app = TestApp::new().await;
    let rules = [Rule::new(Limit::per_minute(5).name("hand"))
        .slow_after(1)
        .slow_by(Duration::from_secs(1))
        .slow_max(Duration::from_secs(9))];
    let request = TestRequest::get().to_http_request();
    let decide = || Box::pin(test_app.limiter.check_request(&request, &rules));
    decide().await.expect("decided");
    let mut second = decide();
    assert!((&mut second).now_or_never().is_none());
    test_app.after_seconds(1);
    let decision = second.now_or_never().expect("over").expect("decided");
    assert_eq!(decision.expect("a rule").limits()[0].remaining(), 3);
    // `check` decides, and delays nothing.
    const LIMIT: Limit = Limit::per_minute(5).name("hand");
    let check = test_app.limiter.check(&LIMIT, "ann").now_or_never();
    assert!(check.expect("no delay").expect("decided").is_allowed());
}

fn words(rule: Rule, after: u32) -> Rule {
    let second = Duration::from_secs(1);
    rule.slow_after(after).slow_by(second).slow_max(second)
}

#[actix_web::test]
async fn nonsense_is_refused_by_a_middleware() {
    let leaky = actix_throttle::Algorithm::LeakyBucket;
    let ten = Limit::per_minute(10);
    for (rule, expected) in [
        (words(Rule::new(ten), 10), "`slow_after` must be"),
        (words(Rule::new(ten.lease(2)), 5), "with `lease`"),
        (words(Rule::new(ten.algorithm(leaky)), 5), "`leaky_bucket`"),
        (Rule::new(ten).slow_after(5), "go together"),
        (
            words(Rule::concurrency(Concurrency::new(5)), 1),
            "remove it from a concurrency limit",
        ),
    ] {
        let throttle = Throttle::new().paths(Paths::all(), [rule]);
        let error = throttle.expect_err(expected).to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[actix_web::test]
async fn nonsense_elsewhere_delays_nothing() {
    let test_app = TestApp::new().await;
    let rules = [words(Rule::new(Limit::per_minute(3)), 3)];
    let request = TestRequest::get().to_http_request();
    for allowed in [true, true, true, false] {
        let decision = test_app.limiter.check_request(&request, &rules);
        let decision = decision.now_or_never().expect("no delay").expect("decided");
        assert_eq!(decision.expect("a rule").is_allowed(), allowed);
    }
}

#[actix_web::test]
async fn named_limit_brings_its_slow_down_and_a_reload_changes_it() {
    #[get("/named")]
    #[rate_limit(limit = "named")]
    async fn named() -> &'static str {
        "ok"
    }
    #[get("/own")]
    #[rate_limit(limit = "named", slow_after = 1, slow_by = "7s", slow_max = "7s")]
    async fn own() -> &'static str {
        "ok"
    }
    let text = |rest: &str| format!("limits.named = {{ rate = '9/minute'{rest} }}");
    let slow_words = ", slow_after = 1, slow_by = '2s', slow_max = '2s'";
    let config = Config::parse(&text(slow_words), Format::Toml).expect("a right file");
    let test_app = TestApp::with(|builder| builder.config(&config)).await;
    let service = test_app.service(|config| {
        config.service((named, own));
    });
    let service = service.await;
    assert_eq!(service.get("/named").await.status, 200);
    delayed(&test_app, &service, "/named", 2_000).await;
    assert_eq!(service.get("/own").await.status, 200);
    delayed(&test_app, &service, "/own", 7_000).await;
    let changes = config.replace(&text("")).expect("a right file");
    assert_eq!(
        changes.to_string(),
        "limit named changed: 9/1m, slow_after 1, slow_by 2s, slow_max 2s → 9/1m"
    );
    let answer = service.get("/named").now_or_never();
    assert_eq!(answer.expect("no delay any more").status, 200);
}

#[actix_web::test]
async fn mistakes_in_a_file_have_their_positions() {
    let together = "`slow_after`, `slow_by` and `slow_max` go together: write \
                    `slow_after = 50, slow_by = \"200ms\", slow_max = \"5s\"`";
    for (keys, at, expected) in [
        ("slow_after = 5", "5", together),
        ("slow_by = '1s'", "'1s'", together),
        ("slow_max = '1s'", "'1s'", together),
        ("slow_by = '1s', slow_max = '1s'", "'1s'", together),
        (
            "slow_after = 9, slow_by = '1s', slow_max = '1s'",
            "9",
            "`slow_after` must be at least 1 and below what the limit admits at once: `times`, \
             or the `capacity` of a token bucket",
        ),
        (
            "slow_after = 5, slow_by = '1us', slow_max = '1s'",
            "'1us'",
            "`slow_by` must be from 1 millisecond to 1 hour",
        ),
        (
            "slow_after = 5, slow_by = '2s', slow_max = '1s'",
            "'1s'",
            "`slow_max` must be from `slow_by` to 1 hour",
        ),
        (
            "algorithm = 'leaky_bucket', slow_after = 5, slow_by = '2s', slow_max = '2s'",
            "5,",
            "`leaky_bucket` spaces requests by itself and takes no `slow_after`: use `max_wait`, \
             or another algorithm",
        ),
    ] {
        let text = format!("limits.a = {{ rate = '9/min', {keys} }}");
        let error = Config::parse(&text, Format::Toml)
            .expect_err(keys)
            .to_string();
        let column = text.find(keys).expect("keys") + keys.find(at).expect("at") + 1;
        assert!(
            error.contains(&format!(":1:{column}: {expected}")),
            "{keys}: {error}"
        );
    }
    for (text, expected) in [
        (
            "limits.a = { max = 5, slow_after = 2 }",
            "which has no use for `slow_after`: remove it",
        ),
        (
            "limits.a = { max = 5 }\nrules = [{ limits = [{ limit = 'a', slow_by = '1s' }] }]",
            "is a concurrency limit and has no use for `slow_by`",
        ),
        (
            "rules = [{ limits = ['1/s', { group = 'a', unlimited = true, slow_max = '1s' }] }]",
            "`unlimited` has no use for `slow_max`",
        ),
    ] {
        let error = Config::parse(text, Format::Toml)
            .expect_err(text)
            .to_string();
        assert!(error.contains(expected), "{error}");
    }
}

/// On Redis, a delay is as long, and a denial for want of room is refunded there.
#[actix_web::test]
async fn delays_go_by_the_counter_in_redis() {
    let url = shared(ServerVersion::Redis7).url();
    let on_redis = |builder: Builder| {
        let builder = builder.redis_url(url.clone()).prefix(unique("slow"));
        builder.max_waiting(1).deadline(Duration::from_secs(5))
    };
    let limiter = on_redis(RateLimiter::builder()).identifier(Identifier::global());
    let limiter = limiter.build().await.expect("a server");
    let app = App::new().app_data(limiter).configure(routes);
    let service = TestService::of(app).await;
    let started = std::time::Instant::now();
    assert_eq!(service.get("/cost?2").await.status, 200);
    assert_eq!(service.get("/cost?1").await.status, 200);
    assert!(
        started.elapsed() >= Duration::from_secs(1),
        "it was delayed"
    );
    let mut waits = Box::pin(service.send(request("/cost?1")));
    for _ in 0..200 {
        assert!((&mut waits).now_or_never().is_none());
        actix_web::rt::time::sleep(Duration::from_millis(2)).await;
    }
    let denied = service.get("/cost?1").await;
    assert_eq!((denied.status, denied.remaining()), (429, Some(5)));
    assert_eq!(waits.await.remaining(), Some(5));
}
