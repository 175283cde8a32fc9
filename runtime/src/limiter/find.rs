use std::{ops::Deref, rc::Rc};

use actix_web::{HttpRequest, web};

use super::RateLimiter;

/// A limiter for the time of one request. Workers that count up and down how often one limiter is
/// held would wait for each other: what the request can lend is lent, and the process-wide one is
/// held once a thread.
pub(crate) enum LimiterRef<'a> {
    Borrowed(&'a RateLimiter),
    Shared(Rc<RateLimiter>),
}

impl Deref for LimiterRef<'_> {
    type Target = RateLimiter;

    fn deref(&self) -> &RateLimiter {
        match self {
            Self::Borrowed(limiter) => limiter,
            Self::Shared(limiter) => limiter,
        }
    }
}

/// The nearest `app_data` of a scope, resource or app, plain or in a `web::Data`; else the
/// process-wide limiter.
pub(super) fn find_limiter(request: &HttpRequest) -> Option<LimiterRef<'_>> {
    if let Some(limiter) = request.app_data::<RateLimiter>() {
        return Some(LimiterRef::Borrowed(limiter));
    }
    if let Some(limiter) = request.app_data::<web::Data<RateLimiter>>() {
        return Some(LimiterRef::Borrowed(limiter.get_ref()));
    }
    RateLimiter::of_thread().map(LimiterRef::Shared)
}
