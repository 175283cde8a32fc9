//! Errors and decisions turned into responses by a handler, and errors as `main` prints them.

use std::{error::Error, time::Duration};

use actix_throttle::{
    Config, Decision, HeaderStyle, Identifier, Limit, RateLimitError, RateLimiter, RequestError,
    Rule, StatusSet, config::Format, rate_limit,
};
use actix_web::{
    HttpRequest, HttpResponse, ResponseError, body::to_bytes, get, web::ServiceConfig,
};

use harness::http::app::{TestApp, TestService, get as from_client};

const HAND: Limit = Limit::per_minute(1).name("limit").zone("hand");

#[get("/hand")]
async fn by_hand(request: HttpRequest) -> actix_web::Result<HttpResponse> {
    let limiter = RateLimiter::for_request(&request).ok_or(RequestError::NotInstalled)?;
    let client = limiter.client_identity(limiter.client_address(&request).unwrap());
    let decision = limiter.check(&HAND, client).await?;
    let denial = limiter.denial_response(&request, &decision).await;
    assert_eq!(denial.is_none(), decision.is_allowed());
    Ok(denial.unwrap_or_else(|| HttpResponse::Ok().finish()))
}

#[get("/attribute")]
#[rate_limit("1/minute", name = "limit", zone = "attribute")]
async fn by_attribute() -> HttpResponse {
    HttpResponse::Ok().finish()
}

#[get("/waits")]
async fn waits(request: HttpRequest) -> Result<HttpResponse, RateLimitError> {
    let limiter = RateLimiter::for_request(&request).expect("a limiter");
    let acquired = limiter
        .acquire(&HAND, "waits")
        .max_wait(Duration::from_secs(1));
    acquired.await.map(|_| HttpResponse::Ok().finish())
}

#[get("/wrong")]
async fn mistaken(request: HttpRequest) -> Result<HttpResponse, RateLimitError> {
    let limiter = RateLimiter::for_request(&request).expect("a limiter");
    limiter.check(&Limit::per_minute(0), "a").await?;
    Ok(HttpResponse::Ok().finish())
}

#[get("/rules")]
async fn by_rules(request: HttpRequest) -> Result<HttpResponse, RequestError> {
    let rules = [Rule::new(HAND).identifier(Identifier::header("X-Key"))];
    let limiter = RateLimiter::for_request(&request).ok_or(RequestError::NotInstalled)?;
    limiter.check_request(&request, &rules).await?;
    Ok(HttpResponse::Ok().finish())
}

fn routes(config: &mut ServiceConfig) {
    config
        .service((by_hand, by_attribute))
        .service((waits, mistaken, by_rules));
}

fn own(_: &HttpRequest, denied: &Decision) -> HttpResponse {
    let seconds = denied.retry_after_seconds().unwrap();
    HttpResponse::ServiceUnavailable().body(format!("{seconds} s"))
}

#[actix_web::test]
async fn denial_by_hand_is_that_of_the_attribute() {
    for style in [HeaderStyle::Both, HeaderStyle::GitHub, HeaderStyle::Off] {
        for has_own in [false, true] {
            let test_app = TestApp::with(|builder| {
                if has_own {
                    builder.headers(style).on_limited(own)
                } else {
                    builder.headers(style)
                }
            })
            .await;
            let service = test_app.service(routes).await;
            let mut answers = Vec::new();
            for path in ["/hand", "/attribute"] {
                assert_eq!(service.get(path).await.status, 200);
                let denied = service.get(path).await;
                let mut headers: Vec<_> = denied
                    .headers
                    .iter()
                    .map(|(name, value)| (name.clone(), value.clone()))
                    .collect();
                headers.sort_by(|(one, _), (other, _)| one.as_str().cmp(other.as_str()));
                answers.push((denied.status, headers, denied.body));
            }
            assert_eq!(answers[0], answers[1], "{style:?}");
            assert_eq!(answers[0].0, if has_own { 503 } else { 429 });
        }
    }
}

#[actix_web::test]
async fn errors_that_a_handler_returns_are_answers() {
    let who = |_: &HttpRequest| {
        HttpResponse::Unauthorized()
            .insert_header(("WWW-Authenticate", "Key"))
            .body("who?")
    };
    let test_app = TestApp::with(|builder| builder.on_unidentified(who)).await;
    let service = test_app.service(routes).await;
    assert_eq!(service.get("/waits").await.status, 200);
    let late = service.get("/waits").await;
    assert_eq!((late.status, late.retry_after()), (429, Some(60)));
    assert_eq!(
        late.header("Content-Type"),
        Some("application/problem+json")
    );
    assert_eq!(late.json()["retry_after_ms"], 60_000);

    let wrong = service.get("/wrong").await;
    assert_eq!(
        (wrong.status, wrong.text()),
        (500, ""),
        "nothing of the code's errors"
    );

    let nobody = service.get("/rules").await;
    assert_eq!((nobody.status, nobody.text()), (401, "who?"));
    assert_eq!(nobody.header("WWW-Authenticate"), Some("Key"));
    let known = from_client("/rules").insert_header(("X-Key", "k"));
    assert_eq!(service.send(known).await.status, 200);

    let alone = TestService::new(routes).await;
    assert_eq!(alone.get("/rules").await.status, 500);
}

/// Middleware reads the status of the error, and clients that of its response; they must agree.
#[test]
fn status_of_an_error_is_that_of_its_answer() {
    let timed_out = RateLimitError::TimedOut { retry_after: None };
    for (error, status) in [
        (RateLimitError::SharedCounter, 500),
        (RateLimitError::InvalidDemand, 500),
        (timed_out, 429),
    ] {
        assert_eq!(error.status_code(), status, "{error}");
        assert_eq!(error.error_response().status(), status, "{error}");
    }
    let empty = RateLimitError::InvalidDemand.to_string();
    assert!(empty.starts_with("the demand is for no limit, "), "{empty}");
    let error = RequestError::NotInstalled;
    assert_eq!(error.status_code(), error.error_response().status());
}

#[actix_web::test]
async fn store_that_cannot_decide_is_answered_503() {
    let error = RateLimitError::Unavailable {
        reason: "gone".to_owned(),
        retry_after: Some(Duration::from_millis(2_100)),
    };
    assert_eq!(error.retry_after_seconds(), Some(3));
    for response in [
        error.error_response(),
        RequestError::Undecided(error).error_response(),
    ] {
        assert_eq!(response.status(), 503);
        assert_eq!(response.headers().get("Retry-After").unwrap(), "3");
        let body = to_bytes(response.into_body()).await.unwrap();
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(body["retry_after_ms"], 2_100);
    }
}

#[actix_web::test]
async fn errors_show_their_message_where_main_returns_them() {
    let built = RateLimiter::builder().memory().max_keys(0).build().await;
    let request = from_client("/").to_http_request();
    let limiter = TestApp::new().await.limiter;
    let (zero, rules) = (Limit::per_minute(0), [Rule::new(Limit::per_minute(0))]);
    let invalid = || limiter.check(&zero, "a");
    let undecided = limiter.check_request(&request, &rules);
    let config = Config::parse("limits.a = '0/minute'\nlimits.b = 1", Format::Toml).unwrap_err();
    let diagnostic = config.diagnostics()[0].clone();
    let errors: [Box<dyn Error>; 8] = [
        Box::new(built.unwrap_err()),
        Box::new(invalid().await.unwrap_err()),
        Box::new(undecided.await.unwrap_err()),
        Box::new(Limit::per_minute(0).validate().unwrap_err()),
        Box::new("often".parse::<Limit>().unwrap_err()),
        Box::new("often".parse::<StatusSet>().unwrap_err()),
        Box::new(config),
        Box::new(actix_throttle::CallError::from(
            invalid().await.unwrap_err(),
        )),
    ];
    for error in errors {
        assert_eq!(format!("{error:?}"), error.to_string());
    }
    assert_eq!(format!("{diagnostic:?}"), diagnostic.to_string());
}
