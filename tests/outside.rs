//! A program as a user writes it, which `.ci/packages` builds outside of the workspace. It depends
//! on actix-throttle and actix-web alone, so macro output must not need anything else.

use actix_throttle::{
    Algorithm, Concurrency, Decision, Identity, Limit, RateLimiter, Rule, Throttle,
    concurrency_limit, rate_limit,
};
use actix_web::{App, HttpRequest, Responder, get, test};

const LOGIN: Limit = Limit::per_minute(1).algorithm(Algorithm::TokenBucket).name("login");

async fn by_user(request: &HttpRequest) -> Option<Identity> {
    let user = request.headers().get("X-User")?.to_str().ok()?;
    Some(Identity::new(user).group("user"))
}

#[get("/")]
#[rate_limit("2/minute", refund_on = "5xx, 404", block = "1s", max_wait = "1ms")]
#[rate_limit(times = 100, hours = 1, identifier = by_user, group = "user", cost = 2)]
#[concurrency_limit(max = 5, expiry = "30s")]
async fn index() -> impl Responder {
    "hello"
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let limiter = RateLimiter::builder().memory().build().await?;
    let decision: Decision = limiter.check(&LOGIN, "ann").await?;
    assert!(decision.is_allowed());
    let guard = limiter.semaphore(&Concurrency::new(1), "ann").acquire().await?;
    drop(guard);

    let throttle = Throttle::new().paths("^/", [Rule::new(Limit::per_minute(100))])?;
    let app = test::init_service(App::new().app_data(limiter).wrap(throttle).service(index)).await;
    for expected in [200, 200, 429] {
        let request = test::TestRequest::get().uri("/").to_request();
        let response = test::call_service(&app, request).await;
        assert_eq!(response.status().as_u16(), expected);
    }
    println!("a program that depends on actix-throttle alone: as it should be");
    Ok(())
}
