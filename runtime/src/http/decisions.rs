//! The decisions of one request, kept until its response gets headers.
//!
//! The guard records decisions; handlers and the middleware write their headers. It decides
//! nothing.

use std::{cell::RefCell, rc::Rc};

use actix_throttle_core::{
    decision::{Decision, stricter},
    time::Micros,
};
use actix_web::{HttpMessage, HttpRequest, http::header::HeaderMap};
use smallvec::SmallVec;

use super::{
    dated_decision::DatedDecision, double_charge::ChargedCounter, same_policy::is_same_policy,
    status_list::StatusList,
};
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
    decisions: SmallVec<[DatedDecision; 1]>,
    /// The counters that the middlewares and the handler have charged.
    counters: SmallVec<[ChargedCounter; 1]>,
    /// The list that [`RateLimits`](super::RateLimits) reads, if one was extracted.
    statuses: Option<Rc<StatusList>>,
    /// The foreign rate-limit headers that the response had before its first write; `None` before
    /// that.
    foreign: Option<Option<Box<ForeignHeaders>>>,
}

/// The most decisions of a handler that are kept apart from one another.
const MAX_ENFORCED: usize = 64;

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
    Own(DatedDecision),
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
///
/// The request was held for `held` microseconds meanwhile: it has waited or was delayed, and what
/// was decided before is older by that.
pub(super) fn record(
    limiter: &RateLimiter,
    request: &HttpRequest,
    nesting: Nesting,
    decision: Decision,
    held: Micros,
) -> DecisionRecord {
    let dated = DatedDecision::now(limiter, decision, false);
    let decisions = request.extensions().get::<RequestDecisions>().cloned();
    let decisions = match decisions {
        Some(decisions) => decisions,
        None if nesting == Nesting::Handler => return DecisionRecord::Own(dated),
        None => RequestDecisions::of(request),
    };
    let index = decisions.0.borrow_mut().push(dated, held);
    DecisionRecord::Shared { decisions, index }
}

/// Records a decision that the handler has made itself. Of one limit that was decided for several
/// identities, only the strictest decision is kept.
pub(super) fn record_enforced(
    limiter: &RateLimiter,
    request: &HttpRequest,
    decision: Decision,
) -> DecisionRecord {
    let dated = DatedDecision::now(limiter, decision, true);
    let decisions = RequestDecisions::of(request);
    let index = decisions.0.borrow_mut().push_enforced(dated);
    DecisionRecord::Shared { decisions, index }
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
    /// Adds a decision, and returns its index.
    fn push(&mut self, dated: DatedDecision, held: Micros) -> usize {
        if held > 0 {
            let before = self.decisions.iter_mut();
            before.for_each(|other| other.elapse(held));
        }
        if let Some(statuses) = &self.statuses {
            statuses.append(dated.decision.limits());
        }
        self.decisions.push(dated);
        // A limiter of another style has not asked for the time of day.
        let latest = self.decisions.iter().map(|dated| dated.at).max();
        let undated = self.decisions.iter_mut().filter(|dated| dated.at.is_zero());
        undated.for_each(|dated| dated.at = latest.unwrap_or_default());
        self.decisions.len() - 1
    }

    /// Adds a decision of the handler on one limit, unless a stricter one is there, and returns the
    /// index of the stricter one.
    fn push_enforced(&mut self, dated: DatedDecision) -> usize {
        let status = dated.decision.limits().first();
        let same = self.decisions.iter().position(|other| {
            let other = other.is_enforced.then(|| other.decision.limits().first());
            match (other.flatten(), status) {
                (Some(other), Some(status)) => is_same_policy(other, status),
                _ => false,
            }
        });
        let enforced = self.decisions.iter().filter(|other| other.is_enforced);
        let is_full = enforced.count() >= MAX_ENFORCED;
        // Further limits, perhaps made for each client, share the last entry.
        let last = || self.decisions.iter().rposition(|other| other.is_enforced);
        let Some(index) = same.or_else(|| last().filter(|_| is_full)) else {
            return self.push(dated, 0);
        };
        if let Some(statuses) = &self.statuses {
            statuses.append(dated.decision.limits());
        }
        let before = &mut self.decisions[index];
        let pair = before.decision.limits().first().zip(status);
        if pair.is_none_or(|(before, status)| std::ptr::eq(stricter(before, status), status)) {
            *before = dated;
        }
        index
    }
}

impl RequestDecisions {
    /// The decisions that are kept with this request; from now on if there were none.
    pub(super) fn of(request: &HttpRequest) -> Self {
        if let Some(decisions) = request.extensions().get::<Self>() {
            return decisions.clone();
        }
        let decisions = Self(Rc::new(RefCell::new(DecisionList {
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
            let limits = decisions.iter().flat_map(|dated| dated.decision.limits());
            Rc::new(StatusList::new(limits))
        });
        Rc::clone(statuses)
    }

    /// Writes the headers of every limit.
    pub(super) fn write(&self, style: HeaderStyle, headers: &mut HeaderMap) {
        let DecisionList {
            decisions, foreign, ..
        } = &mut *self.0.borrow_mut();
        let foreign = foreign.get_or_insert_with(|| ForeignHeaders::of(headers));
        let limits = decisions.iter().flat_map(DatedDecision::enforced);
        response::write(headers, style, limits, foreign.as_deref());
    }

    /// Whether a limit that is no shadow was decided, so that there are headers to write.
    pub(super) fn has_limits(&self) -> bool {
        let decided = self.0.borrow();
        let mut limits = decided.decisions.iter().flat_map(DatedDecision::enforced);
        limits.next().is_some()
    }
}

impl DecisionRecord {
    /// Writes the headers of every limit.
    pub(super) fn write(&self, style: HeaderStyle, headers: &mut HeaderMap) {
        match self {
            _ if style == HeaderStyle::Off => {}
            Self::Own(dated) => {
                let foreign = ForeignHeaders::of(headers);
                response::write(headers, style, dated.enforced(), foreign.as_deref());
            }
            Self::Shared { decisions, .. } => decisions.write(style, headers),
        }
    }

    /// Whether any limit has denied the request.
    pub(super) fn is_denied(&self) -> bool {
        match self {
            Self::Own(dated) => !dated.decision.is_allowed(),
            Self::Shared { decisions, .. } => {
                let decided = decisions.0.borrow();
                let mut decisions = decided.decisions.iter();
                decisions.any(|dated| !dated.decision.is_allowed())
            }
        }
    }

    /// Updates the decision to the state of its limits after a refund, for the headers.
    pub(super) fn refresh(&mut self, engine: &Engine, style: HeaderStyle, after: &Decision) {
        match self {
            Self::Own(dated) => dated.refresh(engine, style, after),
            Self::Shared { decisions, index } => {
                if let Some(dated) = decisions.0.borrow_mut().decisions.get_mut(*index) {
                    dated.refresh(engine, style, after);
                }
            }
        }
    }
}
