//! All limits at once: enforced, only counted, or off.

use std::{
    future::IntoFuture,
    sync::atomic::{AtomicU32, Ordering},
};

use actix_throttle::{
    Concurrency, Config, Decision, Enforcement, Identity, Limit, Paths, RateLimiter, RateLimits,
    RequestError, Rule, Throttle, WebSocketLimiter, concurrency_limit, config::Format, rate_limit,
};
use actix_web::{
    App, HttpRequest, HttpResponse, get,
    test::TestRequest,
    web::{self, ServiceConfig},
};
use futures_util::FutureExt;

use harness::http::app::{TestApp, TestService, get_from, in_own_process};

const MODES: [Enforcement; 3] = [Enforcement::On, Enforcement::Shadow, Enforcement::Off];

#[get("/single")]
#[rate_limit("2/minute", name = "single")]
async fn single(limits: RateLimits) -> String {
    let one = limits.iter().map(|limit| limit.name());
    format!("{:?} {}", one.collect::<Vec<_>>(), limits.would_deny())
}

/// A limit and the shadow that is to replace it: they have one zone and one window.
#[get("/candidate")]
#[rate_limit("5/minute", name = "hard", zone = "z")]
#[rate_limit("2/minute", name = "soft", zone = "z", shadow)]
async fn candidate(limits: RateLimits) -> String {
    let exceeded = limits.iter().filter(|limit| limit.is_exceeded());
    format!(
        "{:?}",
        exceeded.map(|limit| limit.name()).collect::<Vec<_>>()
    )
}

#[get("/wait")]
#[rate_limit("1/minute", algorithm = "leaky_bucket", max_wait = "10m")]
async fn wait() -> &'static str {
    "ok"
}

#[get("/held")]
#[concurrency_limit(max = 1, name = "held")]
async fn held() -> HttpResponse {
    std::future::pending().await
}

#[get("/key")]
#[rate_limit("1/minute", identifier = header("X-Api-Key"))]
async fn key() -> &'static str {
    "ok"
}

static IDENTIFIED: AtomicU32 = AtomicU32::new(0);

fn identified(_: &HttpRequest) -> Identity {
    IDENTIFIED.fetch_add(1, Ordering::Relaxed);
    "ann".into()
}

#[get("/identified")]
#[rate_limit("1/minute", identifier = identified, cost = two)]
async fn by_function() -> &'static str {
    "ok"
}

fn two(_: &HttpRequest) -> u32 {
    IDENTIFIED.fetch_add(1, Ordering::Relaxed);
    2
}

#[get("/closed")]
#[rate_limit("1/minute", failure_mode = "closed")]
async fn closed() -> &'static str {
    "ok"
}

#[get("/unknown")]
#[rate_limit(limit = "nowhere")]
async fn unknown() -> &'static str {
    "ok"
}

#[get("/inside")]
async fn inside(request: HttpRequest, limiter: RateLimiter) -> Result<String, RequestError> {
    const INSIDE: Limit = Limit::per_minute(1).name("inside");
    let decision = limiter.enforce(&request, &INSIDE, "ann").await?;
    Ok(decision.limits().len().to_string())
}

#[get("/free")]
async fn free() -> &'static str {
    "ok"
}

fn routes(config: &mut ServiceConfig) {
    config
        .service((single, candidate, wait, held, key, by_function))
        .service((closed, unknown, inside, free));
}

async fn off() -> RateLimiter {
    let limiter = RateLimiter::builder().enforcement(Enforcement::Off);
    limiter.build().await.expect("no store is needed")
}

#[actix_web::test]
async fn attribute_goes_by_the_switch_and_keeps_its_counter() {
    let test_app = TestApp::new().await;
    let service = test_app.service(routes).await;
    let clone = test_app.limiter.clone();
    assert_eq!(service.statuses("/single", 3).await, [200, 200, 429]);

    clone.set_enforcement(Enforcement::Shadow);
    assert_eq!(test_app.limiter.enforcement(), Enforcement::Shadow);
    let answer = service.get("/single").await;
    assert_eq!(
        (answer.status, answer.text()),
        (200, "[\"single\"] true"),
        "it is reported as a shadow, by the counter that was there"
    );
    assert!(answer.is_unlimited(), "a shadow has no headers: {answer:?}");
    assert_eq!(clone.shadow_denials()["single"], 1);

    clone.set_enforcement(Enforcement::Off);
    let answer = service.get("/single").await;
    assert_eq!((answer.status, answer.text()), (200, "[] false"));
    assert_eq!(clone.shadow_denials()["single"], 1, "nothing is counted");

    clone.set_enforcement(Enforcement::On);
    assert_eq!(service.get("/single").await.status, 429);
    test_app.after_seconds(60);
    assert_eq!(service.get("/single").await.remaining(), Some(1));
}

#[actix_web::test]
async fn what_a_shadow_counted_stays_when_it_is_enforced() {
    let test_app = TestApp::with(|builder| builder.enforcement(Enforcement::Shadow)).await;
    let service = test_app.service(routes).await;
    assert_eq!(service.statuses("/single", 5).await, [200; 5]);
    test_app.limiter.set_enforcement(Enforcement::On);
    let denied = service.get("/single").await;
    assert_eq!((denied.status, denied.retry_after()), (429, Some(60)));
}

#[actix_web::test]
async fn limit_and_its_candidate_keep_apart_in_shadow() {
    let test_app = TestApp::with(|builder| builder.enforcement(Enforcement::Shadow)).await;
    let service = test_app.service(routes).await;
    let mut exceeded = Vec::new();
    for _ in 0..7 {
        exceeded.push(service.get("/candidate").await.text().to_owned());
    }
    let (none, soft, both) = ("[]", "[\"soft\"]", "[\"hard\", \"soft\"]");
    assert_eq!(exceeded, [none, none, soft, soft, soft, both, both]);
}

#[actix_web::test]
async fn nothing_is_identified_while_limits_are_off() {
    let service = TestApp::with(|builder| builder.enforcement(Enforcement::Off))
        .await
        .service(routes)
        .await;
    IDENTIFIED.store(0, Ordering::Relaxed);
    assert_eq!(service.statuses("/identified", 3).await, [200; 3]);
    assert_eq!(IDENTIFIED.load(Ordering::Relaxed), 0);
}

#[actix_web::test]
async fn unidentified_clients_are_rejected_only_while_enforced() {
    for (mode, expected) in [
        (Enforcement::On, 401),
        (Enforcement::Shadow, 200),
        (Enforcement::Off, 200),
    ] {
        let test_app = TestApp::with(|builder| {
            let unauthorized = |_: &HttpRequest| HttpResponse::Unauthorized().finish();
            builder.enforcement(mode).on_unidentified(unauthorized)
        });
        let service = test_app.await.service(routes).await;
        assert_eq!(service.get("/key").await.status, expected, "{mode:?}");
    }
}

#[actix_web::test]
async fn denied_networks_stay_denied_in_each_mode() {
    for mode in MODES {
        let test_app = TestApp::with(|builder| {
            let builder = builder.enforcement(mode).deny(["192.0.2.64/28"]);
            builder.expect("a network")
        });
        let service = test_app.await.service(routes).await;
        let status = |path| service.send(get_from("192.0.2.65", path));
        for path in ["/single", "/inside"] {
            assert_eq!(status(path).await.status, 403, "{mode:?} {path}");
        }
    }
}

#[actix_web::test]
async fn closed_limits_answer_503_only_while_enforced() {
    for (mode, expected) in [
        (Enforcement::On, 503),
        (Enforcement::Shadow, 200),
        (Enforcement::Off, 200),
    ] {
        let limiter = RateLimiter::builder()
            .redis_url("redis://127.0.0.1:1")
            .enforcement(mode)
            .build();
        let limiter = limiter.await.expect("a warning");
        let app = App::new().app_data(limiter).configure(routes);
        let service = TestService::of(app).await;
        assert_eq!(service.get("/closed").await.status, expected, "{mode:?}");
    }
}

#[actix_web::test]
async fn unknown_limits_answer_500_only_while_enforced() {
    for (mode, expected) in [
        (Enforcement::On, 500),
        (Enforcement::Shadow, 200),
        (Enforcement::Off, 200),
    ] {
        let test_app = TestApp::with(|builder| builder.enforcement(mode)).await;
        let service = test_app.service(routes).await;
        assert_eq!(service.get("/unknown").await.status, expected, "{mode:?}");
    }
}

#[actix_web::test]
async fn requests_in_the_queue_go_on_once_limits_are_not_enforced() {
    for mode in [Enforcement::Shadow, Enforcement::Off] {
        let test_app = TestApp::new().await;
        let service = test_app.service(routes).await;
        assert_eq!(service.get("/wait").await.status, 200);
        let (mut second, mut third) = (
            Box::pin(service.get("/wait")),
            Box::pin(service.get("/wait")),
        );
        for _ in 0..3 {
            assert!((&mut second).now_or_never().is_none());
            assert!((&mut third).now_or_never().is_none());
            actix_web::rt::task::yield_now().await;
        }
        // The clock stands still, so only the switch can let them go on.
        test_app.limiter.set_enforcement(mode);
        assert_eq!(second.await.status, 200, "{mode:?}");
        assert_eq!(third.await.status, 200, "{mode:?}");
        assert_eq!(service.get("/wait").await.status, 200, "nothing waits");
    }
}

#[actix_web::test]
async fn permits_are_counted_in_shadow_and_none_is_taken_while_off() {
    let test_app = TestApp::with(|builder| builder.enforcement(Enforcement::Shadow)).await;
    let service = test_app.service(routes).await;
    let mut first = Box::pin(service.get("/held"));
    let mut second = Box::pin(service.get("/held"));
    assert!((&mut first).now_or_never().is_none());
    assert!((&mut second).now_or_never().is_none());
    assert_eq!(test_app.limiter.shadow_denials()["held"], 1);
    // The permit of the first request is held, and counts once limits are enforced.
    test_app.limiter.set_enforcement(Enforcement::On);
    assert_eq!(service.get("/held").await.status, 429);
    drop((first, second));
    test_app.limiter.set_enforcement(Enforcement::Off);
    let mut while_off = Box::pin(service.get("/held"));
    assert!((&mut while_off).now_or_never().is_none());
    test_app.limiter.set_enforcement(Enforcement::On);
    assert!(
        service.get("/held").now_or_never().is_none(),
        "a free permit"
    );
}

#[actix_web::test]
async fn limits_from_inside_go_by_the_switch() {
    let test_app = TestApp::new().await;
    let service = test_app.service(routes).await;
    assert_eq!(service.statuses("/inside", 2).await, [200, 429]);
    test_app.limiter.set_enforcement(Enforcement::Shadow);
    assert_eq!(service.get("/inside").await.text(), "1");
    assert_eq!(test_app.limiter.shadow_denials()["inside"], 1);
    test_app.limiter.set_enforcement(Enforcement::Off);
    assert_eq!(service.get("/inside").await.text(), "0");
}

#[actix_web::test]
async fn rules_by_hand_go_by_the_switch() {
    let test_app = TestApp::new().await;
    let rules = [Rule::new(Limit::per_minute(1).name("hand"))];
    let request = TestRequest::get().to_http_request();
    let decide = || test_app.limiter.check_request(&request, &rules);
    let is_allowed = |decision: &Option<Decision>| decision.as_ref().map(Decision::is_allowed);
    assert_eq!(is_allowed(&decide().await.expect("decided")), Some(true));
    assert_eq!(is_allowed(&decide().await.expect("decided")), Some(false));
    test_app.limiter.set_enforcement(Enforcement::Shadow);
    let decision = decide().await.expect("decided").expect("a rule");
    assert!(decision.is_allowed() && decision.limits()[0].is_exceeded());
    test_app.limiter.set_enforcement(Enforcement::Off);
    assert!(decide().await.expect("decided").is_none());
}

#[actix_web::test]
async fn messages_go_by_the_switch() {
    let test_app = TestApp::new().await;
    let messages = WebSocketLimiter::new(Limit::per_minute(1).name("messages"))
        .limiter(test_app.limiter.clone());
    let request = TestRequest::get().to_http_request();
    let check = || messages.check(&request, "");
    assert!(check().await.expect("decided").is_allowed());
    assert!(!check().await.expect("decided").is_allowed());
    test_app.limiter.set_enforcement(Enforcement::Shadow);
    let decision = check().await.expect("decided");
    assert!(decision.is_allowed() && decision.limits()[0].is_exceeded());
    test_app.limiter.set_enforcement(Enforcement::Off);
    assert!(check().await.expect("decided").limits().is_empty());
}

#[actix_web::test]
async fn middleware_goes_by_the_switch() {
    let test_app = TestApp::new().await;
    let throttle = Throttle::new()
        .paths(
            Paths::regex("^/free").expect("a regex").name("entry"),
            [Rule::new(Limit::per_minute(1))],
        )
        .expect("a rule");
    let app = App::new()
        .app_data(test_app.limiter.clone())
        .service(web::scope("").wrap(throttle).service(free));
    let service = TestService::of(app).await;
    assert_eq!(service.statuses("/free", 2).await, [200, 429]);
    test_app.limiter.set_enforcement(Enforcement::Shadow);
    let answer = service.get("/free").await;
    assert_eq!((answer.status, answer.is_unlimited()), (200, true));
    assert_eq!(test_app.limiter.shadow_denials()["entry"], 1);
    test_app.limiter.set_enforcement(Enforcement::Off);
    assert_eq!(service.statuses("/free", 2).await, [200, 200]);
    assert_eq!(test_app.limiter.shadow_denials()["entry"], 1);
}

#[actix_web::test]
async fn limiter_without_a_store_admits_everything() {
    let limiter = off().await;
    const LIMIT: Limit = Limit::per_minute(1).name("limit");
    const ONE: Concurrency = Concurrency::new(1);
    for _ in 0..3 {
        let decision = limiter.check(&LIMIT, "ann").await.expect("decided");
        assert!(decision.is_allowed() && decision.limits().is_empty());
        let all = [(&LIMIT, "ann"), (&LIMIT, "ben")];
        assert!(limiter.check_all(&all).await.expect("decided").is_allowed());
        let permit = limiter.acquire(&LIMIT, "ann").into_future().now_or_never();
        assert!(permit.expect("no wait").expect("acquired").refund().await);
        let permit = limiter.semaphore(&ONE, "ann").acquire().into_future();
        let guard = permit.now_or_never().expect("no wait").expect("acquired");
        assert!(guard.is_valid());
        std::mem::forget(guard);
    }
    assert_eq!(limiter.remaining(&LIMIT, "ann").await.expect("told"), 1);
    limiter.reset(&LIMIT, "ann").await.expect("nothing to do");
    let minute = std::time::Duration::from_secs(60);
    limiter
        .block(&LIMIT, "ann", minute)
        .await
        .expect("nothing to do");
    limiter.unblock(&LIMIT, "ann").await.expect("nothing to do");
    let app = App::new().app_data(limiter).configure(routes);
    let service = TestService::of(app).await;
    for path in [
        "/single",
        "/key",
        "/identified",
        "/closed",
        "/inside",
        "/unknown",
    ] {
        assert_eq!(service.statuses(path, 3).await, [200; 3], "{path}");
    }
}

#[actix_web::test]
async fn without_a_store_only_off_is_built() {
    for mode in [Enforcement::On, Enforcement::Shadow] {
        let error = RateLimiter::builder().enforcement(mode).build().await;
        let error = error.expect_err("no store").to_string();
        assert!(error.contains("no store was chosen"), "{error}");
        assert!(error.contains("Enforcement::Off"), "{error}");
    }
    // A file can be changed while the service runs, so it makes no store superfluous.
    let config = Config::parse("enforcement = 'off'\nrules = []", Format::Toml);
    let builder = RateLimiter::builder().config(&config.expect("a right file"));
    assert!(builder.build().await.is_err());
}

#[actix_web::test]
async fn switching_on_without_a_store_is_logged_and_changes_nothing() {
    let this = "enforcement::switching_on_without_a_store_is_logged_and_changes_nothing";
    let Some(log) = in_own_process(this) else {
        env_logger::init();
        let limiter = off().await;
        for mode in [Enforcement::On, Enforcement::Shadow] {
            limiter.set_enforcement(mode);
            assert_eq!(limiter.enforcement(), Enforcement::Off);
        }
        assert!(limiter.check(&Limit::per_day(1), "ann").await.is_ok());
        return;
    };
    let lines = log.lines().filter(|line| line.contains("ERROR"));
    let lines: Vec<_> = lines.collect();
    assert_eq!(lines.len(), 2, "{log}");
    assert!(lines[0].contains("enforcement stays \"off\""), "{log}");
    assert!(lines[0].contains("without a store"), "{log}");
    assert!(log.contains("WARN"), "it is off from the start: {log}");
}

#[actix_web::test]
async fn process_wide_limiter_without_a_store_is_installed() {
    let this = "enforcement::process_wide_limiter_without_a_store_is_installed";
    if in_own_process(this).is_some() {
        return;
    }
    let service = TestService::new(routes).await;
    assert_eq!(
        service.get("/single").await.status,
        500,
        "no limiter at all"
    );
    let builder = RateLimiter::builder().enforcement(Enforcement::Off);
    builder.init().await.expect("installed");
    assert_eq!(service.statuses("/single", 3).await, [200; 3]);
    RateLimiter::close().await;
    assert_eq!(service.get("/single").await.status, 500);
}

#[actix_web::test]
async fn file_changes_the_enforcement_at_a_reload() {
    let text = |enforcement: &str| format!("{enforcement}\nlimits.a = '1/minute'");
    let config = Config::parse(&text("enforcement = 'shadow'"), Format::Toml);
    let config = config.expect("a right file");
    let test_app = TestApp::with(|builder| builder.config(&config)).await;
    let service = test_app.service(routes).await;
    let replace = |enforcement| {
        let changes = config.replace(&text(enforcement)).expect("a right file");
        changes.to_string()
    };
    assert_eq!(service.statuses("/single", 3).await, [200; 3]);
    assert_eq!(replace(""), "enforcement changed: shadow → on");
    assert_eq!(service.get("/single").await.status, 429);
    assert_eq!(
        replace("enforcement = 'off'"),
        "enforcement changed: on → off"
    );
    assert_eq!(service.get("/single").await.status, 200);
    assert!(config.replace("enforcement = 'never'\nrules = []").is_err());
    assert_eq!(service.get("/single").await.status, 200, "nothing changed");
    // Of what code and file say, the lesser is in force.
    test_app.limiter.set_enforcement(Enforcement::On);
    assert_eq!(test_app.limiter.enforcement(), Enforcement::Off);
    test_app.limiter.set_enforcement(Enforcement::Shadow);
    replace("enforcement = 'on'");
    assert_eq!(test_app.limiter.enforcement(), Enforcement::Shadow);
    test_app.limiter.set_enforcement(Enforcement::On);
    assert_eq!(test_app.limiter.enforcement(), Enforcement::On);
    assert_eq!(service.get("/single").await.status, 429);
}

#[actix_web::test]
async fn wrong_word_in_the_file_has_its_position() {
    let parse = |text: &str| {
        let error = Config::parse(text, Format::Toml).expect_err(text);
        error.to_string()
    };
    let error = parse("enforcement = 'shadows'\nrules = []");
    assert!(error.contains("1:15: "), "{error}");
    assert!(error.contains("unknown enforcement `shadows`"), "{error}");
    assert!(error.contains("did you mean `shadow`?"), "{error}");
    let error = parse("enforcement = true\nrules = []");
    assert!(error.contains("1:15: "), "{error}");
    let error = parse("rules = [{ enforcement = 'on', limits = ['1/s'] }]");
    assert!(error.contains("1:12: "), "{error}");
}

#[actix_web::test]
async fn switch_of_one_limiter_leaves_others_alone() {
    let config = Config::parse("limits.a = '1/minute'", Format::Toml).expect("a right file");
    let one = TestApp::with(|builder| builder.config(&config)).await;
    let other = TestApp::with(|builder| builder.config(&config)).await;
    one.limiter.set_enforcement(Enforcement::Off);
    assert_eq!(other.limiter.enforcement(), Enforcement::On);
    config
        .replace("enforcement = 'shadow'\nlimits.a = '1/minute'")
        .expect("a right file");
    assert_eq!(one.limiter.enforcement(), Enforcement::Off);
    assert_eq!(other.limiter.enforcement(), Enforcement::Shadow);
}
