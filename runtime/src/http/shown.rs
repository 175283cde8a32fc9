//! What was decided for a request, kept with it until its response gets headers.

use std::time::Duration;

use actix_web::{HttpMessage, HttpRequest, HttpResponse};
use smallvec::SmallVec;

use crate::{
    answer,
    decision::{Decision, LimitStatus},
    limiter::RateLimiter,
};

/// All limits that were decided for one request, by whatever decided them, kept with the request:
/// every layer that adds headers shows them all.
struct Shown {
    /// When the latest was decided, since the Unix epoch: resets are counted from then.
    at: Duration,
    limits: SmallVec<[LimitStatus; 1]>,
}

/// Adds the headers of every limit that was decided for this request.
pub(super) fn show(limiter: &RateLimiter, request: &HttpRequest, response: &mut HttpResponse) {
    if let Some(Shown { at, limits }) = request.extensions().get::<Shown>() {
        let style = limiter.settings().headers;
        answer::write(response.headers_mut(), style, limits, *at);
    }
}

/// Keeps the limits of a decision made at `now` for the headers of the response.
pub(super) fn remember(request: &HttpRequest, decision: &Decision, now: Duration) {
    let mut extensions = request.extensions_mut();
    let mut limits = extensions
        .remove::<Shown>()
        .map_or_else(SmallVec::new, |before| before.limits);
    limits.extend(decision.enforced().cloned());
    extensions.insert(Shown { at: now, limits });
}
