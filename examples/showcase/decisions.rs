//! Decisions in handlers: what was decided, and limits for identities in the body.

use actix_throttle::{Limit, LimitStatus, RateLimiter, RateLimits, RequestError, rate_limit};
use actix_web::{HttpRequest, get, post, web};
use serde::{Deserialize, Serialize};

#[derive(Serialize)]
struct Shown {
    remaining: u32,
    would_deny: bool,
}

/// The handler reads what was decided: a shadow limit would have denied the request.
#[get("/decision")]
#[rate_limit(times = 3, seconds = 5)]
#[rate_limit(times = 1, seconds = 5, shadow)]
async fn decision(limits: RateLimits) -> web::Json<Shown> {
    web::Json(Shown {
        remaining: limits.strictest().map_or(0, LimitStatus::remaining),
        would_deny: limits.would_deny(),
    })
}

const PER_EMAIL: Limit = Limit::new(2, std::time::Duration::from_secs(5))
    .name("login-email")
    .zone("login-email");

#[derive(Deserialize)]
struct Login {
    email: String,
}

/// One limit for each address, and one for each e-mail address in the body.
#[post("/login")]
#[rate_limit(times = 100, seconds = 5)]
async fn login(
    request: HttpRequest,
    limiter: RateLimiter,
    body: web::Json<Login>,
) -> Result<&'static str, RequestError> {
    let email = body.email.trim().to_lowercase();
    limiter.enforce(&request, &PER_EMAIL, email).await?;
    Ok("ok")
}

pub(crate) fn routes(config: &mut web::ServiceConfig) {
    config.service((decision, login));
}
