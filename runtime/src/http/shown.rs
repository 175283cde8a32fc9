//! What was decided for a request, kept with it until its response gets headers.

use std::time::Duration;

use actix_web::{HttpMessage, HttpRequest, HttpResponse};
use smallvec::SmallVec;

use crate::{
    answer::{self, HeaderStyle},
    decision::Decision,
    limiter::RateLimiter,
};

/// All that was decided for one request, kept with the request: attributes under two names are two
/// layers, and every layer that adds headers shows what all have decided.
struct Shown {
    /// When the latest was decided, since the Unix epoch: resets are counted from then.
    at: Duration,
    decisions: SmallVec<[Decision; 1]>,
}

/// Adds the headers of every limit that was decided for this request.
pub(super) fn show(limiter: &RateLimiter, request: &HttpRequest, response: &mut HttpResponse) {
    if let Some(Shown { at, decisions }) = request.extensions().get::<Shown>() {
        let style = limiter.settings().headers;
        let limits = decisions.iter().flat_map(Decision::enforced);
        answer::write(response.headers_mut(), style, limits, *at);
    }
}

/// Keeps a decision made just now for the headers of the response.
pub(super) fn remember(limiter: &RateLimiter, request: &HttpRequest, decision: Decision) {
    let at = match limiter.settings().headers {
        HeaderStyle::GitHub => limiter.now(),
        // The others tell no time of day.
        _ => Duration::ZERO,
    };
    let mut extensions = request.extensions_mut();
    if let Some(shown) = extensions.get_mut::<Shown>() {
        shown.at = at;
        shown.decisions.push(decision);
        return;
    }
    let decisions = SmallVec::from_buf([decision]);
    extensions.insert(Shown { at, decisions });
}
