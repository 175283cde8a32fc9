//! What was decided for a request, kept with it until its response gets headers.

use std::{cell::RefCell, rc::Rc, time::Duration};

use actix_web::{HttpMessage, HttpRequest, HttpResponse, http::header::HeaderMap};
use smallvec::SmallVec;

use super::double_charge::ChargedCounter;
use crate::{
    decision::Decision,
    limiter::RateLimiter,
    response::{self, ForeignHeaders, HeaderStyle},
};

/// All that was decided for one request, kept with the request: middleware and attributes are
/// layers, and every layer that adds headers shows what all have decided.
///
/// A handle: a middleware keeps one where the request is out of its hands.
#[derive(Clone)]
pub(super) struct RequestDecisions(Rc<RefCell<DecisionList>>);

struct DecisionList {
    /// When the latest was decided, since the Unix epoch: resets are counted from then.
    at: Duration,
    decisions: SmallVec<[Decision; 1]>,
    /// What all layers have charged.
    counters: SmallVec<[ChargedCounter; 1]>,
    /// Rate-limit headers of others that the response had before the first layer wrote on it.
    foreign: Option<Option<Box<ForeignHeaders>>>,
}

/// Which layer decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Nesting {
    /// Others further in may decide something, too.
    Middleware,
    /// The handler's own.
    Handler,
}

/// Where a decision is kept until the response gets headers.
pub(super) enum DecisionRecord {
    /// Here: no other layer has decided anything for the request, nor will. Then it need not be
    /// kept with the request, which would cost more than many a decision.
    Own { at: Duration, decision: Decision },
    /// Among those that are kept with the request, at this place.
    Shared {
        decisions: RequestDecisions,
        place: usize,
    },
}

/// Adds the headers of every limit whose decision is kept with this request.
pub(super) fn write_headers(
    limiter: &RateLimiter,
    request: &HttpRequest,
    response: &mut HttpResponse,
) {
    if let Some(decisions) = request.extensions().get::<RequestDecisions>() {
        decisions.write(limiter.settings().headers, response.headers_mut());
    }
}

/// Keeps a decision made just now for the headers of the response.
pub(super) fn record(
    limiter: &RateLimiter,
    request: &HttpRequest,
    layer: Nesting,
    decision: Decision,
) -> DecisionRecord {
    let at = match limiter.settings().headers {
        HeaderStyle::GitHub => limiter.now(),
        // The others tell no time of day.
        _ => Duration::ZERO,
    };
    if let Some(decisions) = request.extensions().get::<RequestDecisions>() {
        let mut decided = decisions.0.borrow_mut();
        decided.at = at;
        decided.decisions.push(decision);
        let place = decided.decisions.len() - 1;
        let decisions = decisions.clone();
        return DecisionRecord::Shared { decisions, place };
    }
    if layer == Nesting::Handler {
        return DecisionRecord::Own { at, decision };
    }
    let decisions = SmallVec::from_buf([decision]);
    let decisions = RequestDecisions(Rc::new(RefCell::new(DecisionList {
        at,
        decisions,
        counters: SmallVec::new(),
        foreign: None,
    })));
    request.extensions_mut().insert(decisions.clone());
    DecisionRecord::Shared {
        decisions,
        place: 0,
    }
}

/// Notes what a layer has charged, where layers are kept with the request, and tells of counters
/// that another one has charged already.
pub(super) fn record_counters(request: &HttpRequest, counters: &[ChargedCounter]) {
    let extensions = request.extensions();
    let Some(decisions) = extensions.get::<RequestDecisions>() else {
        return;
    };
    let mut decided = decisions.0.borrow_mut();
    for counter in counters {
        let mut before = decided.counters.iter();
        if let Some(other) = before.find(|other| other.is_same(counter)) {
            other.report(counter);
        }
    }
    decided.counters.extend_from_slice(counters);
}

impl RequestDecisions {
    /// The headers of every limit.
    pub(super) fn write(&self, style: HeaderStyle, headers: &mut HeaderMap) {
        let DecisionList {
            at,
            decisions,
            foreign,
            ..
        } = &mut *self.0.borrow_mut();
        let foreign = foreign.get_or_insert_with(|| ForeignHeaders::of(headers));
        let limits = decisions.iter().flat_map(Decision::enforced);
        response::write(headers, style, limits, *at, foreign.as_deref());
    }

    /// Whether there is a limit to tell of.
    pub(super) fn has_limits(&self) -> bool {
        let decided = self.0.borrow();
        let mut limits = decided.decisions.iter().flat_map(Decision::enforced);
        limits.next().is_some()
    }
}

impl DecisionRecord {
    /// The headers of every limit.
    pub(super) fn write(&self, style: HeaderStyle, headers: &mut HeaderMap) {
        match self {
            Self::Own { at, decision } => {
                let foreign = ForeignHeaders::of(headers);
                response::write(headers, style, decision.enforced(), *at, foreign.as_deref());
            }
            Self::Shared { decisions, .. } => decisions.write(style, headers),
        }
    }

    /// Whether a limit has denied this request.
    pub(super) fn is_denied(&self) -> bool {
        match self {
            Self::Own { decision, .. } => !decision.is_allowed(),
            Self::Shared { decisions, .. } => {
                let decided = decisions.0.borrow();
                !decided.decisions.iter().all(Decision::is_allowed)
            }
        }
    }

    /// Has the decision show how its limits stand just now, after something was given back.
    pub(super) fn refresh(&mut self, limiter: &RateLimiter, after: &Decision) {
        match self {
            Self::Own { at, decision } => restate(limiter, decision, *at, after),
            Self::Shared { decisions, place } => {
                let DecisionList { at, decisions, .. } = &mut *decisions.0.borrow_mut();
                if let Some(decision) = decisions.get_mut(*place) {
                    restate(limiter, decision, *at, after);
                }
            }
        }
    }
}

fn restate(limiter: &RateLimiter, decision: &mut Decision, at: Duration, after: &Decision) {
    // Where it matters when a decision was made, all resets are counted from the latest one.
    let since = match limiter.settings().headers {
        HeaderStyle::GitHub => limiter.now().saturating_sub(at),
        _ => Duration::ZERO,
    };
    decision.refresh(after, since);
}
