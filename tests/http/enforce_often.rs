//! Limits that a handler decides for many identities in one request, as many as a client names.

use actix_throttle::{HeaderStyle, Limit, RateLimiter, RateLimits, RequestError, rate_limit};
use actix_web::{
    HttpRequest, get,
    web::{self, ServiceConfig},
};

use harness::http::app::TestApp;

const TIMES: u32 = 10_000;
const EACH: Limit = Limit::per_minute(1_000_000).name("each").zone("each");
const ONE: Limit = Limit::per_minute(1_000_000).name("one").zone("one");

/// Enforces two limits so many times: one for another identity each time, and one for the same.
#[get("/{times}")]
#[rate_limit("5/minute", name = "own")]
async fn often(
    request: HttpRequest,
    limiter: RateLimiter,
    limits: RateLimits,
    times: web::Path<u32>,
) -> Result<String, RequestError> {
    for number in 0..*times {
        limiter
            .enforce(&request, &EACH, format!("{number}"))
            .await?;
        limiter.enforce(&request, &ONE, "ann").await?;
    }
    Ok(limits.iter().count().to_string())
}

fn routes(config: &mut ServiceConfig) {
    config.service(often);
}

#[actix_web::test]
async fn headers_list_each_policy_once_with_its_strictest_state() {
    for (times, left) in [(1, 999_999), (3, 999_997), (TIMES, 990_000)] {
        let test_app = TestApp::with(|builder| builder.headers(HeaderStyle::Ietf)).await;
        let service = test_app.service(routes).await;
        let answer = service.get(&format!("/{times}")).await;
        assert_eq!(answer.status, 200);
        assert_eq!(
            answer.header("RateLimit-Policy"),
            Some(r#""own";q=5;w=60, "each";q=1000000;w=60, "one";q=1000000;w=60"#)
        );
        let states = answer.header("RateLimit").expect("states");
        let names: Vec<_> = states
            .split(", ")
            .map(|state| state.split(';').take(2))
            .collect();
        let names: Vec<String> = names
            .into_iter()
            .map(|it| it.collect::<Vec<_>>().join(";"))
            .collect();
        let one = format!(r#""one";r={left}"#);
        assert_eq!(names, [r#""own";r=4"#, r#""each";r=999999"#, &*one]);
    }
}

#[actix_web::test]
async fn list_of_limits_stays_short() {
    let test_app = TestApp::new().await;
    let service = test_app.service(routes).await;
    let listed = service.get(&format!("/{TIMES}")).await;
    let listed: usize = listed.text().parse().expect("a number");
    assert!(listed <= 100, "{listed} limits are listed");
    let listed = service.get("/9").await;
    assert_eq!(listed.text(), "19", "a few are listed one by one");
}

const FIVE: Limit = Limit::per_minute(5).name("five").zone("five");

#[actix_web::test]
async fn denial_among_many_decisions_is_shown() {
    #[get("/")]
    async fn until_denied(
        request: HttpRequest,
        limiter: RateLimiter,
        limits: RateLimits,
    ) -> Result<String, RequestError> {
        for number in 0..200 {
            limiter
                .enforce(&request, &FIVE, format!("{number}"))
                .await?;
        }
        let mut allowed = 0;
        while limiter.enforce(&request, &FIVE, "7").await.is_ok() {
            allowed += 1;
        }
        let strictest = limits.strictest().expect("limits");
        Ok(format!("{allowed} {}", strictest.is_exceeded()))
    }
    let test_app = TestApp::new().await;
    let service = test_app.service(|config| {
        config.service(until_denied);
    });
    assert_eq!(service.await.get("/").await.text(), "4 true");
}
