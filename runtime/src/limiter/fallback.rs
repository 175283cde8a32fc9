//! What becomes of a check that the store could not decide.

use log::Level;

use super::decision;
use crate::{
    decision::Decision,
    error::RateLimitError,
    failure_mode::FailureMode,
    log_throttle::LogThrottle,
    store::{
        Stack,
        interface::{Check, StoreError},
    },
};

static FAILURES: LogThrottle = LogThrottle::new(Level::Warn);

/// Decides by the failure modes of the charges: one of `Closed` is an `Err`; those of `Local` are
/// decided for this process alone; those of `Open` are let through.
pub(super) fn decide(
    store: &Stack,
    check: &Check<'_>,
    error: StoreError,
) -> Result<Decision, RateLimitError> {
    // An open circuit is logged when it opens.
    if error.is_failure() && !error.is_logged() {
        FAILURES.log(format_args!("the store could not decide: {error}"));
    }
    let mut enforced = check.charges.iter().filter(|one| !one.limit.is_shadow());
    let closed = enforced.any(|charge| charge.failure_mode == FailureMode::Closed);
    if closed || error.is_misuse() {
        return Err(error.into());
    }
    let local = || {
        let charges = (0..).zip(&check.charges);
        charges.filter(|(_, charge)| charge.failure_mode == FailureMode::Local)
    };
    let part = Check {
        mode: check.mode,
        charges: local().map(|(_, charge)| *charge).collect(),
    };
    let outcome = store.decide_alone(&part);
    Ok(decision(&outcome, local()).by_fallback())
}
