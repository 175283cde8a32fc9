//! What was decided for a request, kept with it until its response gets headers.

use std::{cell::RefCell, rc::Rc, time::Duration};

use actix_web::{HttpMessage, HttpRequest, HttpResponse, http::header::HeaderMap};
use smallvec::SmallVec;

use crate::{
    answer::{self, HeaderStyle},
    decision::Decision,
    limiter::RateLimiter,
};

/// All that was decided for one request, kept with the request: middleware and attributes are
/// layers, and every layer that adds headers shows what all have decided.
///
/// A handle: a middleware keeps one where the request is out of its hands.
#[derive(Clone)]
pub(super) struct Shown(Rc<RefCell<Decided>>);

struct Decided {
    /// When the latest was decided, since the Unix epoch: resets are counted from then.
    at: Duration,
    decisions: SmallVec<[Decision; 1]>,
}

/// Adds the headers of every limit that was decided for this request.
pub(super) fn show(limiter: &RateLimiter, request: &HttpRequest, response: &mut HttpResponse) {
    if let Some(shown) = request.extensions().get::<Shown>() {
        shown.write(limiter.settings().headers, response.headers_mut());
    }
}

/// Which of a request's decisions one is.
#[derive(Clone)]
pub(super) struct Position {
    pub(super) shown: Shown,
    place: usize,
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
    if let Some(shown) = extensions.get::<Shown>() {
        let mut decided = shown.0.borrow_mut();
        decided.at = at;
        decided.decisions.push(decision);
        let place = decided.decisions.len() - 1;
        let shown = shown.clone();
        return Position { shown, place };
    }
    let decisions = SmallVec::from_buf([decision]);
    let shown = Shown(Rc::new(RefCell::new(Decided { at, decisions })));
    extensions.insert(shown.clone());
    Position { shown, place: 0 }
}

impl Shown {
    /// The headers of every limit.
    pub(super) fn write(&self, style: HeaderStyle, headers: &mut HeaderMap) {
        let Decided { at, decisions } = &*self.0.borrow();
        let limits = decisions.iter().flat_map(Decision::enforced);
        answer::write(headers, style, limits, *at);
    }

    /// Whether a limit has denied this request.
    pub(super) fn is_denied(&self) -> bool {
        !self.0.borrow().decisions.iter().all(Decision::is_allowed)
    }
}

impl Position {
    /// Has the decision show how its limits stand just now, after something was given back.
    pub(super) fn restate(&self, limiter: &RateLimiter, after: &Decision) {
        let Decided { at, decisions } = &mut *self.shown.0.borrow_mut();
        let Some(decision) = decisions.get_mut(self.place) else {
            return;
        };
        // Where it matters when a decision was made, all resets are counted from the latest one.
        let since = match limiter.settings().headers {
            HeaderStyle::GitHub => limiter.now().saturating_sub(*at),
            _ => Duration::ZERO,
        };
        decision.restate(after, since);
    }
}
