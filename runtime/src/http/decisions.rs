//! The decisions of one request, kept until its response gets headers.
//!
//! The guard records decisions; handlers and the middleware write their headers. It decides
//! nothing.

use std::{cell::RefCell, rc::Rc, time::Duration};

use actix_throttle_core::decision::Decision;
use actix_web::{HttpMessage, HttpRequest, http::header::HeaderMap};
use smallvec::SmallVec;

use super::{double_charge::ChargedCounter, status_list::StatusList};
use crate::{
    engine::Engine,
    limiter::RateLimiter,
    response::{self, ForeignHeaders, HeaderStyle},
};

/// All decisions of one request, kept in its extensions. A request may pass several middlewares and
/// an attribute; each of them that adds headers writes those of all decisions.
///
/// A clone is a handle to the same list: a middleware keeps one after it has passed the request on.
#[derive(Clone)]
pub(super) struct RequestDecisions(Rc<RefCell<DecisionList>>);

struct DecisionList {
    /// The time of the latest decision since the Unix epoch, from which resets are counted. Zero
    /// if the header style shows no time of day.
    at: Duration,
    decisions: SmallVec<[Decision; 1]>,
    /// The counters that the middlewares and the handler have charged.
    counters: SmallVec<[ChargedCounter; 1]>,
    /// The list that [`RateLimits`](super::RateLimits) reads, if one was extracted.
    statuses: Option<Rc<StatusList>>,
    /// The foreign rate-limit headers that the response had before its first write; `None` before
    /// that.
    foreign: Option<Option<Box<ForeignHeaders>>>,
}

/// The position of a decision in the chain of middlewares and handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Nesting {
    /// A middleware: an inner middleware or the handler may make more decisions.
    Middleware,
    /// The handler, which makes the last decision of a request.
    Handler,
    /// A handler whose arguments may read the decisions of the request, or make more of them.
    ReadingHandler,
}

/// A recorded decision, until the response gets headers.
pub(super) enum DecisionRecord {
    /// The handler's decision is the only one of the request. It is kept here and not with the
    /// request, because that would cost more than many a decision.
    Own { at: Duration, decision: Decision },
    /// The decision is kept with the request, at this index of its list.
    Shared {
        decisions: RequestDecisions,
        index: usize,
    },
}

/// Writes the headers of every limit whose decision is kept with this request.
pub(super) fn write_headers(style: HeaderStyle, request: &HttpRequest, headers: &mut HeaderMap) {
    if let Some(decisions) = request.extensions().get::<RequestDecisions>() {
        decisions.write(style, headers);
    }
}

/// Records a decision made just now, for the headers of the response.
pub(super) fn record(
    limiter: &RateLimiter,
    request: &HttpRequest,
    nesting: Nesting,
    decision: Decision,
) -> DecisionRecord {
    let at = match limiter.settings().headers {
        HeaderStyle::GitHub => limiter.engine().wall_time(),
        // The other styles show no time of day.
        _ => Duration::ZERO,
    };
    if let Some(decisions) = request.extensions().get::<RequestDecisions>() {
        let mut decided = decisions.0.borrow_mut();
        decided.at = at;
        decided.push(decision);
        let index = decided.decisions.len() - 1;
        let decisions = decisions.clone();
        return DecisionRecord::Shared { decisions, index };
    }
    if nesting == Nesting::Handler {
        return DecisionRecord::Own { at, decision };
    }
    let decisions = RequestDecisions::of(request);
    let mut decided = decisions.0.borrow_mut();
    decided.at = at;
    decided.push(decision);
    drop(decided);
    DecisionRecord::Shared {
        decisions,
        index: 0,
    }
}

/// Records the counters that were charged, if decisions are kept with the request, and reports
/// those that were charged before, by another middleware or the handler.
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

impl DecisionList {
    fn push(&mut self, decision: Decision) {
        if let Some(statuses) = &self.statuses {
            statuses.append(decision.limits());
        }
        self.decisions.push(decision);
    }
}

impl RequestDecisions {
    /// The decisions that are kept with this request; from now on if there were none.
    pub(super) fn of(request: &HttpRequest) -> Self {
        if let Some(decisions) = request.extensions().get::<Self>() {
            return decisions.clone();
        }
        let decisions = Self(Rc::new(RefCell::new(DecisionList {
            at: Duration::ZERO,
            decisions: SmallVec::new(),
            counters: SmallVec::new(),
            statuses: None,
            foreign: None,
        })));
        request.extensions_mut().insert(decisions.clone());
        decisions
    }

    /// The list of how each limit stands, which grows with further decisions.
    pub(super) fn statuses(&self) -> Rc<StatusList> {
        let mut decided = self.0.borrow_mut();
        let DecisionList {
            decisions,
            statuses,
            ..
        } = &mut *decided;
        let statuses = statuses.get_or_insert_with(|| {
            let limits = decisions.iter().flat_map(Decision::limits);
            Rc::new(StatusList::new(limits.cloned().collect()))
        });
        Rc::clone(statuses)
    }

    /// Writes the headers of every limit.
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

    /// Whether a limit that is no shadow was decided, so that there are headers to write.
    pub(super) fn has_limits(&self) -> bool {
        let decided = self.0.borrow();
        let mut limits = decided.decisions.iter().flat_map(Decision::enforced);
        limits.next().is_some()
    }
}

impl DecisionRecord {
    /// Writes the headers of every limit.
    pub(super) fn write(&self, style: HeaderStyle, headers: &mut HeaderMap) {
        match self {
            Self::Own { at, decision } => {
                let foreign = ForeignHeaders::of(headers);
                response::write(headers, style, decision.enforced(), *at, foreign.as_deref());
            }
            Self::Shared { decisions, .. } => decisions.write(style, headers),
        }
    }

    /// Whether any limit has denied the request.
    pub(super) fn is_denied(&self) -> bool {
        match self {
            Self::Own { decision, .. } => !decision.is_allowed(),
            Self::Shared { decisions, .. } => {
                let decided = decisions.0.borrow();
                !decided.decisions.iter().all(Decision::is_allowed)
            }
        }
    }

    /// Updates the decision to the state of its limits after a refund, for the headers.
    pub(super) fn refresh(&mut self, engine: &Engine, style: HeaderStyle, after: &Decision) {
        match self {
            Self::Own { at, decision } => refresh_decision(engine, style, decision, *at, after),
            Self::Shared { decisions, index } => {
                let DecisionList { at, decisions, .. } = &mut *decisions.0.borrow_mut();
                if let Some(decision) = decisions.get_mut(*index) {
                    refresh_decision(engine, style, decision, *at, after);
                }
            }
        }
    }
}

fn refresh_decision(
    engine: &Engine,
    style: HeaderStyle,
    decision: &mut Decision,
    at: Duration,
    after: &Decision,
) {
    // Only GitHub's resets are points in time; `at` is what they are counted from.
    let since = match style {
        HeaderStyle::GitHub => engine.wall_time().saturating_sub(at),
        _ => Duration::ZERO,
    };
    decision.refresh(after, since);
}
