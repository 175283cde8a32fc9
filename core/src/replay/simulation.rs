//! The simulation of a group of limits: requests in, and how each limit decided out.

use std::time::Duration;

use super::{
    error::{SimulationError, SimulationErrorReason},
    states::HashStates,
};
use crate::{
    check::{Charge, Check, Mode, Outcome, Receipts},
    decision::{Decision, LimitStatus},
    failure_mode::FailureMode,
    identity::Identity,
    key::Key,
    limit::{Limit, LimitRef},
    status_set::StatusSet,
    time::Micros,
};

/// A group of limits that all count the same requests, as the limits of one handler do.
///
/// ```
/// use actix_throttle_core::{
///     identity::Identity,
///     limit::Limit,
///     replay::{SimulatedLimit, SimulatedRequest, Simulation},
/// };
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// // Would two a minute have been enough, if errors of the service did not count?
/// let limit = SimulatedLimit::new(Limit::per_minute(2).name("api")).refund_on("5xx".parse()?);
/// let mut simulation = Simulation::new([limit])?;
///
/// let ann = Identity::new("ann");
/// for (second, status) in [(0, 200), (10, 503), (20, 200), (30, 200)] {
///     simulation.feed(&SimulatedRequest {
///         at: second * 1_000_000,
///         identity: &ann,
///         cost: None,
///         status: Some(status),
///     });
/// }
/// let report = &simulation.limits()[0];
/// assert_eq!((report.admitted(), report.denied()), (3, 1));
/// let latest = report.latest().map(|status| status.retry_after());
/// assert_eq!(latest, Some(Some(std::time::Duration::from_secs(30))));
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Simulation {
    limits: Vec<LimitReport>,
    states: HashStates,
    admitted: u64,
    denied: u64,
}

/// A limit to simulate, with the statuses of responses whose charge is refunded.
#[derive(Clone, Debug)]
pub struct SimulatedLimit {
    limit: Limit,
    refund_on: Option<StatusSet>,
}

/// One request that the simulation decides.
#[derive(Clone, Copy, Debug)]
pub struct SimulatedRequest<'a> {
    /// The time of the request, in microseconds since any fixed moment. Times may step back, as
    /// they do in a log that several workers write.
    pub at: Micros,
    /// The identity that all limits count by.
    pub identity: &'a Identity,
    /// The cost of the request; `None` stands for each limit's own cost.
    pub cost: Option<u32>,
    /// The status of the response, if it is known. A request that is admitted here is refunded by
    /// the limits that refund this status, at the time of the request.
    pub status: Option<u16>,
}

/// The decisions of one limit so far.
#[derive(Clone, Debug)]
pub struct LimitReport {
    simulated: SimulatedLimit,
    admitted: u64,
    denied: u64,
    latest: Option<LimitStatus>,
}

impl Simulation {
    /// Creates a simulation in which nothing has been charged yet.
    ///
    /// # Errors
    ///
    /// If a limit is invalid, or if two of them share one counter.
    pub fn new(limits: impl IntoIterator<Item = SimulatedLimit>) -> Result<Self, SimulationError> {
        let anyone = Identity::global();
        let mut reports: Vec<LimitReport> = Vec::new();
        for simulated in limits {
            let limit = &simulated.limit;
            let error = |reason| SimulationError {
                limit: LimitRef::Rate(limit).name(),
                reason,
            };
            limit
                .validate()
                .map_err(|invalid| error(SimulationErrorReason::Invalid(invalid)))?;
            let key = Key::counter(&anyone, limit);
            let mut others = reports.iter();
            if others.any(|other| key.is_same(&Key::counter(&anyone, other.limit()))) {
                return Err(error(SimulationErrorReason::SharedCounter));
            }
            reports.push(LimitReport {
                simulated,
                admitted: 0,
                denied: 0,
                latest: None,
            });
        }
        Ok(Self {
            limits: reports,
            states: HashStates::default(),
            admitted: 0,
            denied: 0,
        })
    }

    /// Decides one request: charges all limits if all of them have room, or none. The decision is
    /// the one before a refund; the [reports](Self::limits) show the limits after it.
    pub fn feed(&mut self, request: &SimulatedRequest<'_>) -> Decision {
        let (decision, after) = self.decide_and_refund(request);
        if decision.is_allowed() {
            self.admitted += 1;
        } else {
            self.denied += 1;
        }
        for (report, status) in self.limits.iter_mut().zip(after.limits()) {
            report.record(status);
        }
        decision
    }

    /// Returns the decision, and how the limits stand once the response was refunded.
    fn decide_and_refund(&mut self, request: &SimulatedRequest<'_>) -> (Decision, Decision) {
        let charge = check(&self.limits, request, Mode::ChargeForReceipts);
        let outcome = self.states.decide(&charge, request.at);
        let decision = to_decision(&outcome, &charge.charges);
        let mut after = decision.clone();
        let receipts = self.receipts_to_refund(request, outcome.receipts);
        if receipts.iter().any(Option::is_some) {
            let refund = check(&self.limits, request, Mode::Refund(&receipts));
            let refunded = self.states.decide(&refund, request.at);
            after.refresh(&to_decision(&refunded, &refund.charges), Duration::ZERO);
        }
        (decision, after)
    }

    /// Returns the report of each limit, in the order given.
    #[must_use]
    pub fn limits(&self) -> &[LimitReport] {
        &self.limits
    }

    /// Returns the number of requests that were admitted.
    #[must_use]
    pub fn admitted(&self) -> u64 {
        self.admitted
    }

    /// Returns the number of requests that were denied.
    #[must_use]
    pub fn denied(&self) -> u64 {
        self.denied
    }

    /// Drops all states that have expired by `now`. They are dropped now and then anyway.
    #[doc(hidden)]
    pub fn drop_expired(&mut self, now: Micros) {
        self.states.drop_expired(now);
    }

    /// Leaves the receipts of the limits that refund the status of this request.
    fn receipts_to_refund(
        &self,
        request: &SimulatedRequest<'_>,
        mut receipts: Receipts,
    ) -> Receipts {
        for (report, receipt) in self.limits.iter().zip(&mut receipts) {
            let refund_on = report.simulated.refund_on.as_ref();
            if !refund_on
                .zip(request.status)
                .is_some_and(|(set, status)| set.contains(status))
            {
                *receipt = None;
            }
        }
        receipts
    }
}

impl SimulatedLimit {
    /// Creates the simulation of a limit that refunds nothing.
    #[must_use]
    pub fn new(limit: Limit) -> Self {
        Self {
            limit,
            refund_on: None,
        }
    }

    /// Refunds the charge of a request whose response has one of these statuses.
    #[must_use]
    pub fn refund_on(mut self, statuses: StatusSet) -> Self {
        self.refund_on = Some(statuses);
        self
    }
}

impl LimitReport {
    /// Returns the limit.
    pub fn limit(&self) -> &Limit {
        &self.simulated.limit
    }

    /// Returns the number of requests for which this limit had room. Another limit may have denied
    /// some of them.
    #[must_use]
    pub fn admitted(&self) -> u64 {
        self.admitted
    }

    /// Returns the number of requests for which this limit had no room. A shadow limit denied none
    /// of them.
    #[must_use]
    pub fn denied(&self) -> u64 {
        self.denied
    }

    /// Returns how the limit stood after the latest request, for the identity of that request.
    #[must_use]
    pub fn latest(&self) -> Option<&LimitStatus> {
        self.latest.as_ref()
    }

    fn charge<'a>(&'a self, request: &SimulatedRequest<'a>) -> Charge<'a> {
        let limit = self.limit();
        Charge {
            key: Key::counter(request.identity, limit),
            limit: LimitRef::Rate(limit),
            cost: request.cost.unwrap_or(limit.cost_value()),
            // The states of a replay are always there.
            failure_mode: FailureMode::default(),
        }
    }

    fn record(&mut self, status: &LimitStatus) {
        if status.is_exceeded() {
            self.denied += 1;
        } else {
            self.admitted += 1;
        }
        self.latest = Some(status.clone());
    }
}

/// Returns the check of all limits for one request.
fn check<'a>(
    limits: &'a [LimitReport],
    request: &SimulatedRequest<'a>,
    mode: Mode<'a>,
) -> Check<'a> {
    let charges = limits.iter().map(|report| report.charge(request));
    Check {
        mode,
        charges: charges.collect(),
    }
}

fn to_decision(outcome: &Outcome, charges: &[Charge<'_>]) -> Decision {
    let verdicts = (0..).zip(charges).zip(&outcome.verdicts);
    let statuses =
        verdicts.map(|((index, charge), verdict)| LimitStatus::new(charge.limit, *verdict, index));
    Decision::new(outcome.allowed, statuses)
}

#[cfg(test)]
mod tests;
