//! Each way of limiting goes by the switch, and the counters stay.

use actix_throttle::{
    Config, Decision, Enforcement, Limit, Paths, Rule, Throttle, WebSocketLimiter, config::Format,
};
use actix_web::{App, test::TestRequest, web};

use super::{free, routes};
use harness::http::app::{TestApp, TestService};

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
