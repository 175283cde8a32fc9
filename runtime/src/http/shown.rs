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

/// Which of a request's decisions one is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Position(usize);

impl Position {
    pub(super) const FIRST: Self = Self(0);
}

/// Keeps a decision made just now for the headers of the response.
pub(super) fn remember(
    limiter: &RateLimiter,
    request: &HttpRequest,
    decision: Decision,
) -> Position {
    let at = match limiter.settings().headers {
        HeaderStyle::GitHub => limiter.now(),
        // The others tell no time of day.
        _ => Duration::ZERO,
    };
    let mut extensions = request.extensions_mut();
    if let Some(shown) = extensions.get_mut::<Shown>() {
        shown.at = at;
        shown.decisions.push(decision);
        return Position(shown.decisions.len() - 1);
    }
    let decisions = SmallVec::from_buf([decision]);
    extensions.insert(Shown { at, decisions });
    Position::FIRST
}

/// Whether a limit has denied this request.
pub(super) fn is_denied(request: &HttpRequest) -> bool {
    let extensions = request.extensions();
    let shown = extensions.get::<Shown>();
    shown.is_some_and(|shown| !shown.decisions.iter().all(Decision::is_allowed))
}

/// Has a decision show how its limits stand just now, after something was given back.
pub(super) fn restate(
    limiter: &RateLimiter,
    request: &HttpRequest,
    Position(place): Position,
    after: &Decision,
) {
    let mut extensions = request.extensions_mut();
    let Some(Shown { at, decisions }) = extensions.get_mut::<Shown>() else {
        return;
    };
    let Some(decision) = decisions.get_mut(place) else {
        return;
    };
    // Where it matters when a decision was made, all resets are counted from the latest one.
    let since = match limiter.settings().headers {
        HeaderStyle::GitHub => limiter.now().saturating_sub(*at),
        _ => Duration::ZERO,
    };
    decision.restate(after, since);
}
