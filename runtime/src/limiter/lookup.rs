use actix_web::{HttpRequest, web};

use super::RateLimiter;

/// The nearest `app_data` of a scope, resource or app, plain or in a `web::Data`; else the
/// process-wide limiter.
pub(super) fn limiter(request: &HttpRequest) -> Option<RateLimiter> {
    if let Some(limiter) = request.app_data::<RateLimiter>() {
        return Some(limiter.clone());
    }
    if let Some(limiter) = request.app_data::<web::Data<RateLimiter>>() {
        return Some(limiter.get_ref().clone());
    }
    RateLimiter::global()
}
