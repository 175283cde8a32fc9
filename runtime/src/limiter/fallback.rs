//! What becomes of a check that the store could not decide.

use log::Level;

use super::{Slips, decide::decision};
use crate::{
    decision::Decision,
    error::RateLimitError,
    failure_mode::FailureMode,
    log_throttle::LogThrottle,
    store::{
        Stack,
        interface::{Charge, Check, Receipts, StoreError},
    },
};

static FAILURES: LogThrottle = LogThrottle::new(Level::Warn);

/// Decides by the failure modes of the charges: one of `Closed` is an `Err`; those of `Local` are
/// decided for this process alone; those of `Open` are let through.
pub(super) fn decide(
    store: &Stack,
    check: &Check<'_>,
    error: StoreError,
) -> Result<(Decision, Slips), RateLimitError> {
    // An open circuit is logged when it opens.
    if error.is_failure() {
        FAILURES.log(format_args!("the store could not decide: {error}"));
    }
    let mut enforced = check.charges.iter().filter(|one| !one.limit.is_shadow());
    let closed = enforced.any(|charge| charge.failure_mode == FailureMode::Closed);
    if closed || error.is_misuse() {
        return Err(error.into());
    }
    let is_local = |charge: &Charge<'_>| charge.failure_mode == FailureMode::Local;
    let local = || {
        let charges = (0..).zip(&check.charges);
        charges.filter(|(_, charge)| is_local(charge))
    };
    let part = Check {
        mode: check.mode,
        charges: local().map(|(_, charge)| *charge).collect(),
    };
    let outcome = store.decide_alone(&part);
    let decision = decision(&outcome, local()).by_fallback();
    let mut receipts = outcome.receipts.into_iter();
    let of = |charge: &Charge<'_>| is_local(charge).then(|| receipts.next().flatten());
    let slips = Slips {
        store: Receipts::new(),
        local: check.charges.iter().map(of).map(Option::flatten).collect(),
    };
    Ok((decision, slips))
}
