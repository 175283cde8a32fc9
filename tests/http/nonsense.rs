//! Rules by hand that make no sense are refused in the words of the attribute and of the file.

use std::time::Duration;

use actix_throttle::{
    Concurrency, Config, FailureMode, Limit, Paths, Rule, Throttle, WebSocketLimiter,
    config::Format, rate_limit,
};
use actix_web::{get, test::TestRequest, web::ServiceConfig};
use futures_util::FutureExt;

use harness::http::app::{TestApp, in_own_process_with};

const SECOND: Duration = Duration::from_secs(1);

fn slow(rule: Rule) -> Rule {
    rule.slow_after(1).slow_by(SECOND).slow_max(SECOND)
}

/// Returns what a middleware says about these rules.
fn refused(paths: Paths, rules: impl IntoIterator<Item = Rule>) -> String {
    let throttle = Throttle::new().paths(paths, rules);
    throttle.expect_err("nonsense").to_string()
}

#[test]
fn option_of_an_unlimited_group_is_refused() {
    let group = || Rule::unlimited("admin");
    let any = Rule::new(Limit::per_minute(5));
    for (rule, option) in [
        (group().settle(), "settle"),
        (group().slow_after(5), "slow_after"),
        (group().slow_by(SECOND), "slow_by"),
        (group().slow_max(SECOND), "slow_max"),
        (group().max_wait(SECOND), "max_wait"),
        (
            group().refund_on("5xx".parse().expect("valid")),
            "refund_on",
        ),
        (group().failure_mode(FailureMode::Open), "failure_mode"),
        (group().cost(|_| 1), "cost"),
        (group().dynamic(|_, _| None::<Limit>), "dynamic"),
    ] {
        let error = refused(Paths::all(), [any.clone(), rule]);
        let expected = format!("`unlimited` has no use for `{option}`: remove it");
        assert!(error.ends_with(&expected), "{error}");
    }
}

#[test]
fn option_of_a_rate_is_refused_on_a_concurrency_limit() {
    let permits = || Rule::concurrency(Concurrency::new(5));
    for (rule, option) in [
        (permits().settle(), "settle"),
        (permits().cost(|_| 2), "cost"),
        (permits().dynamic(|_, _| None::<Limit>), "dynamic"),
        (
            permits().refund_on("5xx".parse().expect("valid")),
            "refund_on",
        ),
    ] {
        let error = refused(Paths::all(), [rule]);
        let expected = format!("`{option}` belongs to a rate: remove it from a concurrency limit");
        assert!(error.ends_with(&expected), "{error}");
    }
}

#[test]
fn slow_down_of_a_named_limit_is_checked_as_far_as_it_goes() {
    let named = || Rule::named("api");
    for (rule, expected) in [
        (named().slow_after(5), "go together"),
        (slow(named()).slow_after(0), "`slow_after` must be"),
        (slow(named()).slow_by(2 * SECOND), "`slow_max` must be"),
    ] {
        let error = refused(Paths::all(), [rule]);
        assert!(error.contains(expected), "{error}");
    }
    assert!(Throttle::new().paths(Paths::all(), [slow(named())]).is_ok());
}

const OF_SHADOW: &str =
    "a `shadow` holds no request up, and `slow_after` delays some: leave one of the two out";

#[test]
fn slow_down_of_a_shadow_is_refused_by_hand_and_in_a_file() {
    let limit = Limit::per_minute(5);
    for rule in [Rule::new(limit.shadow()), Rule::new(limit).shadow()] {
        let error = refused(Paths::all(), [slow(rule)]);
        assert!(error.ends_with(OF_SHADOW), "{error}");
    }
    let words = "slow_after = 1, slow_by = '1s', slow_max = '1s'";
    for (text, position) in [
        (
            format!("limits.a = {{ rate = '5/s', shadow = true, {words} }}"),
            "1:56",
        ),
        (
            format!(
                "limits.a = {{ rate = '5/s', shadow = true }}\n\
                 rules = [{{ limits = [{{ limit = 'a', {words} }}] }}]"
            ),
            "2:50",
        ),
    ] {
        let error = Config::parse(&text, Format::Toml).expect_err(&text);
        assert_eq!(error.diagnostics().len(), 1, "{error}");
        assert!(
            error
                .to_string()
                .ends_with(&format!(":{position}: {OF_SHADOW}")),
            "{error}"
        );
    }
}

/// An entry that is tried out as a shadow has the words that it will have in force.
#[actix_web::test]
async fn slow_down_of_an_entry_that_is_a_shadow_waits_for_its_time() {
    let rules = || [slow(Rule::new(Limit::per_minute(5)))];
    let throttle = Throttle::new().paths(Paths::all().shadow(), rules());
    let throttle = throttle.expect("it makes sense once the entry is none");
    let file = "[[rules]]\nshadow = true\nlimits = [{ rate = '5/s', slow_after = 1, slow_by = '1s', slow_max = '1s' }]";
    let config = Config::parse(file, Format::Toml).expect("as by hand");
    for throttle in [throttle, Throttle::from_config(&config)] {
        let test_app = TestApp::new().await;
        let service = test_app.behind(throttle, routes).await;
        for _ in 0..4 {
            let answer = service.get("/free").now_or_never();
            assert_eq!(answer.expect("no delay").status, 200);
        }
    }
}

#[test]
fn settle_that_is_off_is_no_mistake_in_a_file() {
    for text in [
        "limits.a = { rate = '5/s', lease = 2, settle = false }",
        "limits.a = { max = 5, settle = false }",
        "limits.a = { max = 5 }\nrules = [{ limits = [{ limit = 'a', settle = false }] }]",
    ] {
        Config::parse(text, Format::Toml).expect(text);
        let error = Config::parse(&text.replace("false", "true"), Format::Toml);
        let error = error.expect_err(text).to_string();
        assert!(error.contains("`settle`"), "{error}");
    }
}

#[get("/free")]
async fn free() -> &'static str {
    "ok"
}

#[get("/settles")]
#[rate_limit(limit = "leased", settle)]
async fn settles() -> &'static str {
    "ok"
}

fn routes(config: &mut ServiceConfig) {
    config.service((free, settles));
}

/// The log has what is only known when a request comes. Each line has a process of its own, because
/// one line keeps the others of its kind out for a second.
#[actix_web::test]
async fn nonsense_that_only_a_request_shows_is_logged() {
    let this = "nonsense::nonsense_that_only_a_request_shows_is_logged";
    if let Ok(case) = std::env::var("CASE") {
        env_logger::init();
        return make_line(&case).await;
    }
    let with_lease = "are not settled: `settle` corrects the charge of each request, and `lease`";
    let no_handler = "the estimate of a charge stands: `settle` lets a handler correct its own";
    for (case, words) in [
        ("file", with_lease),
        ("leased", with_lease),
        ("request", no_handler),
        ("message", no_handler),
        (
            "permit",
            "are not settled: `settle` belongs to a rate: remove it from a concurrency",
        ),
        (
            "shadow",
            "are not delayed: a `shadow` holds no request up, and `slow_after` delays",
        ),
    ] {
        let log = in_own_process_with(this, &[("CASE", case)]).expect("the first process");
        let is_there = |line: &str| line.contains("ERROR") && line.contains(words);
        assert!(log.lines().any(is_there), "{case}: {log}");
    }
}

async fn make_line(case: &str) {
    let text = "limits.leased = { rate = '9/min', lease = 2 }\nlimits.few = { max = 2 }";
    let config = Config::parse(text, Format::Toml).expect("a right file");
    let test_app = TestApp::with(|builder| builder.config(&config)).await;
    let limit = Limit::per_minute(9).name("hand");
    let rule = match case {
        "file" => {
            let service = test_app.service(routes).await;
            assert_eq!(service.get("/settles").await.status, 200);
            return;
        }
        "leased" => Rule::new(limit.lease(2)).settle(),
        "permit" => Rule::named("few").settle(),
        "shadow" => slow(Rule::new(limit.shadow())),
        _ => Rule::new(limit).settle(),
    };
    let request = TestRequest::get().to_http_request();
    if case == "message" {
        let messages = WebSocketLimiter::rules([rule]).limiter(test_app.limiter.clone());
        let decision = messages.check(&request, "").await;
        assert!(decision.expect("decided").is_allowed());
        return;
    }
    let decision = test_app.limiter.check_request(&request, &[rule]).await;
    assert!(decision.expect("decided").expect("a rule").is_allowed());
}
