//! Named limits in handlers, written as the attribute expands.

use actix_throttle::{
    __private::{HandlerRules, Limited, respond, run_limited},
    Config, Limit, RateLimitError, RequestError, Rule, Throttle,
    config::Format,
};
use actix_web::{
    HttpResponse,
    http::StatusCode,
    web::{self, ServiceConfig},
};

use harness::http::app::{TestApp, TestService, get, in_own_process};

async fn login(gate: Limited<()>) -> HttpResponse {
    static RULES: HandlerRules = HandlerRules::new(|| vec![Rule::named("login")]);
    run_limited(gate, &RULES, async |()| "ok", respond).await
}

async fn sign_up(gate: Limited<()>) -> HttpResponse {
    static RULES: HandlerRules = HandlerRules::new(|| vec![Rule::named("login")]);
    run_limited(gate, &RULES, async |()| "ok", respond).await
}

async fn search(gate: Limited<()>) -> HttpResponse {
    static RULES: HandlerRules = HandlerRules::new(|| {
        vec![Rule::named("search").fallback(Limit::per_minute(3).name("written"))]
    });
    run_limited(gate, &RULES, async |()| "ok", respond).await
}

async fn flaky(gate: Limited<()>) -> HttpResponse {
    static RULES: HandlerRules = HandlerRules::new(|| vec![Rule::named("flaky")]);
    let broken = async |()| ("broken", StatusCode::BAD_GATEWAY);
    run_limited(gate, &RULES, broken, respond).await
}

fn routes(config: &mut ServiceConfig) {
    config
        .route("/login", web::get().to(login))
        .route("/sign-up", web::get().to(sign_up))
        .route("/search", web::get().to(search))
        .route("/flaky", web::get().to(flaky));
}

fn parse(text: &str) -> Config {
    Config::parse(text, Format::Toml).expect("a right file")
}

async fn service(config: &Config) -> (TestApp, TestService) {
    let test_app = TestApp::with(|builder| builder.config(config)).await;
    let service = test_app.service(routes).await;
    (test_app, service)
}

#[actix_web::test]
async fn a_name_is_the_limit_of_the_file_and_changes_with_it() {
    let config = parse("limits.login = '2/minute'");
    let (_world, service) = service(&config).await;
    assert_eq!(service.statuses("/login", 3).await, [200, 200, 429]);

    let changes = config.replace("limits.login = '4/minute'").expect("right");
    let difference = "limit login changed: 2/1m → 4/1m";
    assert_eq!(changes.to_string(), difference);
    // The two requests before the change still count.
    assert_eq!(service.statuses("/login", 3).await, [200, 200, 429]);
    config.replace("limits.login = '1/minute'").expect("right");
    assert_eq!(service.get("/login").await.quota(), Some([1, 0, 60]));
}

#[actix_web::test]
async fn rules_that_name_one_limit_share_a_counter() {
    let config =
        parse("limits.login = '3/minute'\nrules = [{ path = '^/log', limits = ['login'] }]");
    let test_app = TestApp::with(|builder| builder.config(&config)).await;
    let service = test_app
        .service(|app| {
            let throttle = Throttle::from_config(&config);
            app.service(web::scope("").wrap(throttle).configure(routes));
        })
        .await;
    assert_eq!(service.get("/sign-up").await.remaining(), Some(2));
    // Charged by the middleware, then by the handler inside.
    assert_eq!(service.get("/login").await.remaining(), Some(0));
    assert_eq!(service.get("/sign-up").await.status, 429);
    let limit = Limit::per_minute(3).zone("login");
    let client = test_app
        .limiter
        .client_identity("192.0.2.1".parse().expect("an address"));
    let left = test_app
        .limiter
        .peek(&limit, client)
        .await
        .expect("a store");
    assert!(!left.is_allowed(), "one counter, by the limit's name");
}

#[actix_web::test]
async fn fallback_limit_applies_to_an_unknown_name() {
    let without = TestApp::new().await.service(routes).await;
    assert_eq!(without.get("/search").await.quota(), Some([3, 2, 60]));

    let config = parse("limits.login = '1/minute'");
    let (_world, service) = service(&config).await;
    assert_eq!(service.get("/search").await.quota(), Some([3, 2, 60]));
    config
        .replace("limits.search = '9/minute'\nlimits.login = '1/minute'")
        .expect("right");
    // The limit still uses the counter of the written one.
    assert_eq!(service.get("/search").await.quota(), Some([9, 7, 60]));
    // The name may disappear again, because the handler has a written limit as fallback.
    config.replace("limits.login = '1/minute'").expect("right");
    assert_eq!(service.get("/search").await.quota(), Some([3, 0, 60]));
}

#[actix_web::test]
async fn options_in_the_file_apply_beside_the_numbers() {
    let config = parse("limits.flaky = { rate = '1/minute', refund_on = '5xx' }");
    let (_world, service) = service(&config).await;
    assert_eq!(service.statuses("/flaky", 3).await, [502, 502, 502]);
    config.replace("limits.flaky = '1/minute'").expect("right");
    assert_eq!(service.statuses("/flaky", 3).await, [502, 429, 429]);
}

#[actix_web::test]
async fn a_name_in_use_cannot_be_taken_away() {
    let config = parse("limits.login = '2/minute'\nlimits.spare = '1/s'");
    let (_world, service) = service(&config).await;
    config
        .replace("limits.spare = '1/s'")
        .expect("nobody has come yet");
    config
        .replace("\nlimits.login = '2/minute'")
        .expect("right");
    assert_eq!(service.get("/login").await.status, 200);
    let refused = config
        .replace("\nlimits.spare = '1/s'")
        .expect_err("in use");
    let line = refused.to_string();
    assert!(
        line.contains(":2:1: handlers use the limit `login`"),
        "{line}"
    );
    assert_eq!(service.statuses("/login", 2).await, [200, 429], "as before");
}

#[actix_web::test]
async fn without_the_name_the_answer_is_500_and_the_log_says_why() {
    let this = "config::named::without_the_name_the_answer_is_500_and_the_log_says_why";
    let Some(log) = in_own_process(this) else {
        env_logger::init();
        for service in [
            TestApp::new().await.service(routes).await,
            service(&parse("limits.logn = '1/s'")).await.1,
        ] {
            assert_eq!(service.get("/login").await.status, 500);
        }
        return;
    };
    let line = log.lines().find(|line| line.contains("the limit `login`"));
    let line = line.expect(&log);
    assert!(
        line.contains("ERROR") && line.contains("Builder::config"),
        "{line}"
    );
}

#[actix_web::test]
async fn by_hand_it_is_an_error() {
    let test_app = TestApp::new().await;
    let request = get("/").to_http_request();
    let rules = [Rule::named("login")];
    let error = test_app.limiter.check_request(&request, &rules).await;
    let name = match error {
        Err(RequestError::Undecided(RateLimitError::UnknownLimit { name })) => name,
        other => panic!("{other:?}"),
    };
    assert_eq!(name, "login");
}

#[actix_web::test]
async fn the_same_rule_under_two_limiters_has_the_limit_of_each() {
    let (one, other) = (
        parse("limits.login = '2/minute'"),
        parse("limits.a = '9/s'\nlimits.login = '7/minute'"),
    );
    let ((_one_world, one), (_other_world, other)) = (service(&one).await, service(&other).await);
    for _ in 0..2 {
        assert_eq!(
            one.get("/login").await.quota().map(|[limit, ..]| limit),
            Some(2)
        );
        assert_eq!(
            other.get("/login").await.quota().map(|[limit, ..]| limit),
            Some(7)
        );
    }
}
