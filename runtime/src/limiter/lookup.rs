use std::borrow::Cow;

use actix_web::{HttpRequest, web};

use super::RateLimiter;

/// The nearest `app_data` of a scope, resource or app, plain or in a `web::Data`; else the
/// process-wide limiter.
///
/// What the request can lend is lent: workers that count up and down how often one limiter is held
/// wait for each other.
pub(super) fn limiter(request: &HttpRequest) -> Option<Cow<'_, RateLimiter>> {
    if let Some(limiter) = request.app_data::<RateLimiter>() {
        return Some(Cow::Borrowed(limiter));
    }
    if let Some(limiter) = request.app_data::<web::Data<RateLimiter>>() {
        return Some(Cow::Borrowed(limiter.get_ref()));
    }
    RateLimiter::global().map(Cow::Owned)
}
