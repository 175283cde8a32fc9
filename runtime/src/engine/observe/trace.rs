//! Traces: decisions as events of the `tracing` crate, and the wait for the store as a span. Both
//! belong to the span that the task is in, which is that of the request.
//!
//! Without a subscriber, the events go to the `log` crate, as those of actix-web do.

use log::LevelFilter;
use tracing::{
    Level,
    level_filters::{LevelFilter as TraceFilter, STATIC_MAX_LEVEL},
};
#[cfg(feature = "redis")]
use tracing::{Span, field::Empty};

use super::{decided::Decided, event::Event, result::DecisionResult};
use crate::engine::log_throttle::TARGET;

/// Whether a subscriber or a logger may want events. It costs two loads and no branch, because each
/// decision asks.
#[inline]
pub(super) fn is_heard() -> bool {
    let by_subscriber =
        (STATIC_MAX_LEVEL >= TraceFilter::DEBUG) & (TraceFilter::current() >= TraceFilter::DEBUG);
    by_subscriber | (log::max_level() >= LevelFilter::Debug)
}

/// Makes an event of what was decided. It has no identity, which may be a secret.
pub(super) fn trace(event: &Event<'_>) {
    let Event::Decided(decided) = event else {
        return;
    };
    /// An event at this level: the level of a call site is a constant.
    macro_rules! event {
        ($level:expr, $decided:ident) => {
            tracing::event!(
                target: TARGET,
                $level,
                rate_limit.policy = $decided.policy(),
                rate_limit.result = $decided.result().as_str(),
                rate_limit.source = $decided.source().as_str(),
                rate_limit.remaining = $decided.remaining(),
                rate_limit.retry_after = seconds($decided),
                "rate limit decided"
            )
        };
    }
    match decided.result() {
        DecisionResult::Allowed => event!(Level::TRACE, decided),
        _ => event!(Level::DEBUG, decided),
    }
}

/// A span of the request for its wait for the store; disabled if no subscriber wants it.
#[cfg(feature = "redis")]
pub(crate) fn store_span() -> Span {
    // The level is asked for first: a span without a subscriber would be lines in the log.
    if tracing::span_enabled!(target: TARGET, Level::DEBUG) {
        tracing::debug_span!(
            target: TARGET,
            "rate_limit.store",
            rate_limit.batch_size = Empty,
            rate_limit.outcome = Empty,
        )
    } else {
        Span::none()
    }
}

/// Records how many checks went out together with that of this span.
#[cfg(feature = "redis")]
pub(crate) fn record_batch_size(span: &Span, size: usize) {
    span.record("rate_limit.batch_size", size);
}

/// Records how the wait for the store ended.
#[cfg(feature = "redis")]
pub(crate) fn record_outcome(span: &Span, outcome: super::event::CallOutcome) {
    span.record("rate_limit.outcome", outcome.as_str());
}

fn seconds(decided: &Decided<'_>) -> Option<f64> {
    decided.retry_after().map(|wait| wait.as_secs_f64())
}
