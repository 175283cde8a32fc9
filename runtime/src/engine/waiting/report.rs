//! The report to the observers about one caller that may wait: when it joins a queue, why it leaves
//! it and what was decided in the end. A denial on the way is not the last word, so it is not told.

use std::time::Duration;

use actix_throttle_core::{
    check::{Check, Mode},
    decision::{Decision, DecisionSource},
    time::Micros,
};

use super::outcome::WaitOutcome;
use crate::engine::{
    concurrency::{MaxWait, OwnedCharge, check},
    error::RateLimitError,
    handle::Engine,
    observe::{Decided, DecisionResult, Event, WaitEnd},
};

/// The outcomes of a wait of which the observers are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Observed {
    All,
    /// All but a grant, after which the caller may still deny the request. It tells of the grant.
    Failures,
    /// All but a grant and a cancellation: the request was admitted before, and the caller tells of
    /// that.
    Refusals,
}

/// The report of one caller. If it is dropped before [`ended`](Self::ended), it tells that the
/// caller left.
pub(super) struct WaitReport<'a> {
    engine: &'a Engine,
    observed: Observed,
    /// The charges that the store decided last.
    charges: &'a [OwnedCharge],
    /// The charge whose queue the caller joined first, and when.
    joined: Option<(&'a OwnedCharge, Micros)>,
}

impl<'a> WaitReport<'a> {
    pub(super) fn new(engine: &'a Engine, observed: Observed) -> Self {
        Self {
            engine,
            observed,
            charges: &[],
            joined: None,
        }
    }

    /// Remembers the charges that the store is asked for, or the denial of which counts.
    pub(super) fn set_charges(&mut self, alternative: &'a [OwnedCharge]) {
        self.charges = alternative;
    }

    /// Records that the caller has joined the queue of this charge. Another queue later is one and
    /// the same wait.
    pub(super) fn joined(&mut self, by: &'a OwnedCharge) {
        let observers = self.engine.observers();
        if observers.is_heard() && self.joined.is_none() {
            self.joined = Some((by, self.engine.clock().now()));
            observers.tell(|| Event::WaitBegan {
                policy: by.policy(),
            });
        }
    }

    /// Tells the outcome.
    pub(super) fn ended(
        mut self,
        outcome: &mut Result<WaitOutcome, RateLimitError>,
        alternatives: &[Vec<OwnedCharge>],
    ) {
        let tells_grant = self.observed == Observed::All;
        if let Ok(WaitOutcome::Granted(granted)) = outcome {
            granted.is_told = tells_grant;
        }
        if !self.engine.observers().is_heard() {
            return;
        }
        let end = match outcome {
            Ok(WaitOutcome::Granted(_)) => WaitEnd::Granted,
            Ok(WaitOutcome::TimedOut { .. }) => WaitEnd::TimedOut,
            Err(_) => WaitEnd::Failed,
        };
        self.leave(end);
        let check = check(Mode::Charge, self.charges);
        match outcome {
            Ok(WaitOutcome::Granted(granted)) if tells_grant => {
                self.engine.tell_decided(&check, Ok(&granted.decision));
            }
            Ok(WaitOutcome::Granted(_)) => {}
            Err(error) => self.engine.tell_decided(&check, Err(error)),
            Ok(WaitOutcome::TimedOut {
                decision: Some(decision),
                ..
            }) => self.timed_out(&check, decision),
            // The store was not asked: too many wait already, or for too long.
            Ok(WaitOutcome::TimedOut {
                by,
                retry_after,
                decision: None,
            }) => {
                let first = alternatives.first();
                if let Some(by) = first.and_then(|alternative| alternative.get(*by)) {
                    let wait = retry_after.map(Duration::from_micros);
                    self.engine.observers().tell(|| {
                        let result = late(by, DecisionResult::Denied);
                        let decided = Decided::of(&by.charge(), result, DecisionSource::Local);
                        Event::Decided(decided.retrying_after(wait))
                    });
                }
            }
        }
    }

    /// Tells that the caller waits no longer, as limits are not enforced: its charge is told by
    /// itself.
    pub(super) fn unenforced(mut self) {
        self.leave(WaitEnd::Granted);
    }

    fn timed_out(&self, check: &Check<'_>, decision: &Decision) {
        for status in decision.violated() {
            let at = status.index();
            let (Some(charge), Some(wanted)) = (check.charges.get(at), self.charges.get(at)) else {
                continue;
            };
            self.engine.observers().tell(|| {
                let result = match (status.is_blocked(), status.exceeds_capacity()) {
                    (true, _) => DecisionResult::Blocked,
                    (_, true) => DecisionResult::Denied,
                    _ => late(wanted, DecisionResult::Denied),
                };
                let decided = Decided::of(charge, result, decision.source());
                Event::Decided(decided.standing(status))
            });
        }
    }

    fn leave(&mut self, end: WaitEnd) {
        if let Some((by, since)) = self.joined.take() {
            let time = self.engine.clock().now().saturating_sub(since);
            self.engine.observers().tell(|| Event::WaitEnded {
                policy: by.policy(),
                end,
                time: Duration::from_micros(time),
            });
        }
    }
}

impl Drop for WaitReport<'_> {
    fn drop(&mut self) {
        let Some((by, _)) = self.joined else {
            return;
        };
        self.leave(WaitEnd::Canceled);
        if self.observed != Observed::Refusals {
            self.engine.observers().tell(|| {
                let (result, source) = (DecisionResult::Canceled, DecisionSource::Local);
                Event::Decided(Decided::of(&by.charge(), result, source))
            });
        }
    }
}

/// Returns the result of a charge without room: it has timed out if it could be waited for.
fn late(charge: &OwnedCharge, otherwise: DecisionResult) -> DecisionResult {
    match charge.max_wait {
        MaxWait::None | MaxWait::AtMost(0) => otherwise,
        MaxWait::AtMost(_) | MaxWait::Unbounded => DecisionResult::TimedOut,
    }
}
