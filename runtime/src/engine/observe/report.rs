//! The report of a decision: one event for each limit that has a part in it.

use actix_throttle_core::{
    check::Check,
    decision::{Decision, DecisionSource, LimitStatus},
    failure_mode::FailureMode,
};

use super::{decided::Decided, event::Event, observer::Observers, result::DecisionResult};
use crate::engine::error::RateLimitError;

/// Tells the observers what was decided for a check that charges.
pub(crate) fn report(
    observers: &Observers,
    check: &Check<'_>,
    decided: Result<&Decision, &RateLimitError>,
) {
    match decided {
        Ok(decision) if decision.is_allowed() => report_admission(observers, check, decision),
        Ok(decision) => report_denial(observers, check, decision),
        Err(RateLimitError::Unavailable { .. }) => report_failure(observers, check),
        // The check itself is invalid, and no store was asked.
        Err(_) => {}
    }
}

fn report_admission(observers: &Observers, check: &Check<'_>, decision: &Decision) {
    let mut statuses = decision.limits().iter().peekable();
    for (index, charge) in check.charges.iter().enumerate() {
        let status = statuses.next_if(|status| status.index() == index);
        observers.tell(|| {
            let result = match status {
                Some(status) if status.is_shadow() && status.is_exceeded() => {
                    DecisionResult::ShadowDenied
                }
                Some(_) => DecisionResult::Allowed,
                // The failure mode of the limit is `Open`.
                None => DecisionResult::UndecidedOpen,
            };
            let decided = Decided::of(charge, result, decision.source());
            Event::Decided(status.map_or(decided, |status| decided.standing(status)))
        });
    }
}

fn report_denial(observers: &Observers, check: &Check<'_>, decision: &Decision) {
    for status in decision.violated() {
        if let Some(charge) = check.charges.get(status.index()) {
            observers.tell(|| {
                let decided = Decided::of(charge, denial(status), decision.source());
                Event::Decided(decided.standing(status))
            });
        }
    }
}

/// Reports the limits for which the check failed: those of `Closed`. If there is none, the store
/// could not be asked at all, and the check failed whatever the failure mode.
fn report_failure(observers: &Observers, check: &Check<'_>) {
    let enforced = || {
        check
            .charges
            .iter()
            .filter(|charge| !charge.limit.is_shadow())
    };
    let is_closed = |mode: FailureMode| mode == FailureMode::Closed;
    let any_closed = enforced().any(|charge| is_closed(charge.failure_mode));
    for charge in enforced().filter(|charge| !any_closed || is_closed(charge.failure_mode)) {
        observers.tell(|| {
            let result = DecisionResult::UndecidedClosed;
            Event::Decided(Decided::of(charge, result, DecisionSource::Local))
        });
    }
}

/// Returns how a limit without room has denied.
pub(super) fn denial(status: &LimitStatus) -> DecisionResult {
    if status.is_blocked() {
        DecisionResult::Blocked
    } else {
        DecisionResult::Denied
    }
}
