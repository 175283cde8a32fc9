//! The decisions of a request as handlers read them: the [`RateLimits`] extractor.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    rc::Rc,
};

use actix_throttle_core::decision::{LimitStatus, strictest};
use actix_web::{FromRequest, HttpRequest, dev::Payload};

use super::{decisions::RequestDecisions, status_list::StatusList};

/// The decisions about a request, in its handler: how each limit stands that was charged for it.
///
/// Everything counts that was decided before or is decided while the handler runs: by a
/// [`Throttle`](crate::Throttle), by the handler's attributes and by
/// [`enforce`](crate::RateLimiter::enforce). Shadow limits are among them. It never fails; without
/// any limit it is empty.
///
/// A shadow limit denies no request, so a handler may respond to it in its own way, for example
/// with a captcha in place of a 429:
///
/// ```
/// use actix_throttle::{RateLimits, rate_limit};
/// use actix_web::{HttpResponse, post};
///
/// #[post("/sign-up")]
/// #[rate_limit("100/minute")]
/// #[rate_limit("5/minute", shadow)]
/// async fn sign_up(limits: RateLimits) -> HttpResponse {
///     if limits.would_deny() {
///         return HttpResponse::Ok().body("please solve this captcha first");
///     }
///     HttpResponse::Ok().body("welcome")
/// }
/// # let _ = sign_up;
/// ```
#[derive(Clone, Debug)]
pub struct RateLimits(Rc<StatusList>);

impl RateLimits {
    /// Returns how each limit stands, in the order of the decisions, shadows included. Of one limit
    /// that was decided for many identities or many times, it lists the first 32 decisions, and
    /// after them the first denial and each time that half of the rest is used.
    pub fn iter(&self) -> impl Iterator<Item = &LimitStatus> {
        self.0.iter()
    }

    /// Returns the limit with the least remaining; of several, the one that resets last. Once a
    /// limit has denied the request, returns the one with the longest wait. Shadows do not count.
    /// `None` if no other limit applied.
    #[must_use]
    pub fn strictest(&self) -> Option<&LimitStatus> {
        let enforced = || self.iter().filter(|limit| !limit.is_shadow());
        let allowed = !enforced().any(LimitStatus::is_exceeded);
        strictest(enforced(), allowed)
    }

    /// Returns whether a shadow limit would have denied the request.
    #[must_use]
    pub fn would_deny(&self) -> bool {
        let mut limits = self.iter();
        limits.any(|limit| limit.is_shadow() && limit.is_exceeded())
    }
}

impl FromRequest for RateLimits {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self(RequestDecisions::of(request).statuses())))
    }
}
