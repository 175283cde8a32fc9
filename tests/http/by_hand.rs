//! The limiter's methods and the handlers share counters, and rules work without an attribute.

use std::time::Duration;

use actix_throttle::{
    Identifier, Identity, Limit, RateLimitError, RateLimiter, RequestError, Rule, rate_limit,
};
use actix_web::{HttpRequest, HttpResponse, get, web::ServiceConfig};

use harness::http::app::{CLIENT, TestApp, get, get_from};

#[get("/handler")]
#[rate_limit("2/minute")]
async fn handler() -> &'static str {
    "ok"
}

/// The limit that the attribute makes.
const HANDLER: Limit = Limit::per_minute(2).zone(concat!(module_path!(), "::handler"));

fn routes(config: &mut ServiceConfig) {
    config.service(handler);
}

fn client(limiter: &RateLimiter) -> Identity {
    limiter.client_identity(CLIENT.parse().expect("an address"))
}

#[actix_web::test]
async fn reset_gives_a_handler_its_quota_back() {
    let test_app = TestApp::new().await;
    let service = test_app.service(routes).await;
    assert_eq!(service.statuses("/handler", 3).await, [200, 200, 429]);
    let reset = test_app
        .limiter
        .reset(&HANDLER, client(&test_app.limiter))
        .await;
    reset.expect("reset");
    assert_eq!(service.statuses("/handler", 3).await, [200, 200, 429]);
}

#[actix_web::test]
async fn check_and_handler_count_in_one() {
    let test_app = TestApp::new().await;
    let service = test_app.service(routes).await;
    let check = test_app
        .limiter
        .check(&HANDLER, client(&test_app.limiter))
        .await;
    assert!(check.expect("a decision").is_allowed());
    assert_eq!(service.get("/handler").await.remaining(), Some(0));
    let peek = test_app
        .limiter
        .peek(&HANDLER, client(&test_app.limiter))
        .await;
    let wait = peek.expect("a decision").retry_after();
    assert_eq!(wait, Some(Duration::from_secs(60)));
}

#[actix_web::test]
async fn blocked_by_hand_is_denied_until_unblocked() {
    let test_app = TestApp::new().await;
    let (service, ann) = (test_app.service(routes).await, client(&test_app.limiter));
    let hour = Duration::from_secs(3_600);
    let blocked = test_app.limiter.block(&HANDLER, &ann, hour).await;
    blocked.expect("blocked");
    let denied = service.get("/handler").await;
    assert_eq!((denied.status, denied.retry_after()), (429, Some(3_600)));
    let other = service.send(get_from("192.0.2.2", "/handler")).await;
    assert_eq!(other.status, 200);
    let unblocked = test_app.limiter.unblock(&HANDLER, &ann).await;
    unblocked.expect("unblocked");
    assert_eq!(service.statuses("/handler", 3).await, [200, 200, 429]);
}

fn costly(request: &HttpRequest) -> u32 {
    request.query_string().parse().unwrap_or(1)
}

fn by_user(request: &HttpRequest) -> Option<(String, String)> {
    let header = |name| Some(request.headers().get(name)?.to_str().ok()?.to_owned());
    Some((header("X-User")?, header("X-Group").unwrap_or_default()))
}

fn rules() -> [Rule; 3] {
    [
        Rule::new(Limit::per_minute(3).name("everyone"))
            .identifier(by_user)
            .cost(costly)
            .skip_if(|request| request.path() == "/free"),
        Rule::new(Limit::per_minute(5).name("pro"))
            .identifier(by_user)
            .group("pro"),
        Rule::unlimited("admin").identifier(by_user),
    ]
}

/// Checks these rules once. Returns whether the request was admitted, and what remains.
async fn remaining(limiter: &RateLimiter, path: &str, group: &str) -> Option<(bool, u32)> {
    let request = get(path)
        .insert_header(("X-User", "ann"))
        .insert_header(("X-Group", group))
        .to_http_request();
    let decision = limiter.check_request(&request, &rules()).await;
    let decision = decision.expect("a decision")?;
    Some((decision.is_allowed(), decision.limits()[0].remaining()))
}

#[actix_web::test]
async fn rules_by_hand_decide_as_the_attribute_does() {
    let limiter = TestApp::new().await.limiter;
    assert_eq!(remaining(&limiter, "/", "").await, Some((true, 2)));
    assert_eq!(remaining(&limiter, "/?2", "").await, Some((true, 0)));
    assert_eq!(remaining(&limiter, "/", "").await, Some((false, 0)));
    assert_eq!(remaining(&limiter, "/", "pro").await, Some((true, 4)));
    assert_eq!(remaining(&limiter, "/", "admin").await, None);
    assert_eq!(remaining(&limiter, "/free", "").await, None);
}

#[actix_web::test]
async fn rules_by_hand_hand_out_the_answer_to_the_unidentified() {
    let test_app = TestApp::with(|builder| {
        builder.on_unidentified(|_| HttpResponse::Unauthorized().body("who?"))
    })
    .await;
    let rules = [Rule::new(Limit::per_minute(1)).identifier(Identifier::header("X-Key"))];
    let request = get("/").to_http_request();
    match test_app.limiter.check_request(&request, &rules).await {
        Err(RequestError::Unidentified(answer)) => assert_eq!(answer.status(), 401),
        other => panic!("{other:?}"),
    }
}

#[actix_web::test]
async fn rule_that_cannot_be_right_is_an_error() {
    let limiter = TestApp::new().await.limiter;
    let request = get("/").to_http_request();
    let rules = [Rule::new(Limit::per_minute(0))];
    match limiter.check_request(&request, &rules).await {
        Err(RequestError::Undecided(RateLimitError::InvalidLimit(error))) => {
            assert!(error.to_string().contains("`times`"), "{error}");
        }
        other => panic!("{other:?}"),
    }
}
