//! The limiter of a request. Rules and middleware look it up; no lookup takes a lock.

use std::{ops::Deref, rc::Rc};

use actix_web::{HttpRequest, web};

use super::RateLimiter;

/// A limiter for the time of one request. A limiter in `app_data` is borrowed, and the process-wide
/// one is shared by an `Rc` for each thread: workers that count up and down one `Arc` would contend
/// for its cache line.
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

/// Finds the nearest `app_data` of a scope, resource or app, plain or in a `web::Data`; else the
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
