//! A slow-down is set by an attribute, by a rule, and in a configuration file.

use std::time::Duration;

use actix_throttle::{
    Concurrency, Config, Limit, Paths, Rule, Throttle, config::Format, rate_limit,
};
use actix_web::{get, test::TestRequest};
use futures_util::FutureExt;

use super::{delayed, routes};
use harness::http::app::TestApp;

#[actix_web::test]
async fn constant_sets_where_delays_begin() {
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
async fn invalid_rule_is_refused_by_a_middleware() {
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
async fn invalid_rule_by_hand_delays_nothing() {
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
