//! [`PolicySeries`]: the handles of one policy's series.

use std::time::Duration;

use actix_throttle_core::decision::DecisionSource;
use metrics::{Counter, Gauge, Histogram};

use super::{
    label::{DIRECTIONS, FATES, sources},
    register::Registrar,
    table::{
        LEASE_UNUSED, LEASED, REFUNDS, REQUESTS, RUN_SECONDS, RUNNING, SETTLED, UTILIZATION,
        WAIT_SECONDS, WAITING,
    },
};
use crate::engine::{Decided, DecisionResult};

/// The handles of one policy's series, registered together: all of them begin at 0.
pub(super) struct PolicySeries {
    /// The counters by result, then by source; `None` if a result cannot have the source.
    requests: [[Option<Counter>; DecisionSource::ALL.len()]; DecisionResult::ALL.len()],
    utilization: Histogram,
    waiting: Gauge,
    wait_seconds: Histogram,
    running: Gauge,
    run_seconds: Histogram,
    refunds: Counter,
    settled: [Counter; 2],
    leased: Counter,
    lease_unused: [Counter; 2],
}

impl PolicySeries {
    pub(super) fn new(policy: &'static str, registrar: &Registrar) -> Self {
        let requests = DecisionResult::ALL.map(|result| {
            DecisionSource::ALL.map(|source| {
                let is_possible = sources(result).contains(&source);
                let values = [policy, result.as_str(), source.as_str()];
                is_possible.then(|| registrar.counter(&REQUESTS, &values))
            })
        });
        Self {
            requests,
            utilization: registrar.histogram(&UTILIZATION, &[policy]),
            waiting: registrar.gauge(&WAITING, &[policy]),
            wait_seconds: registrar.histogram(&WAIT_SECONDS, &[policy]),
            running: registrar.gauge(&RUNNING, &[policy]),
            run_seconds: registrar.histogram(&RUN_SECONDS, &[policy]),
            refunds: registrar.counter(&REFUNDS, &[policy]),
            settled: DIRECTIONS.map(|direction| registrar.counter(&SETTLED, &[policy, direction])),
            leased: registrar.counter(&LEASED, &[policy]),
            lease_unused: FATES.map(|fate| registrar.counter(&LEASE_UNUSED, &[policy, fate])),
        }
    }

    pub(super) fn decided(&self, decided: &Decided<'_>) {
        let of_result = self.requests.get(decided.result() as usize);
        let counter = of_result.and_then(|sources| sources.get(decided.source() as usize));
        if let Some(Some(counter)) = counter {
            counter.increment(1);
        }
        if let (Some(remaining), Some(quota)) = (decided.remaining(), decided.quota()) {
            let used = quota.saturating_sub(remaining);
            self.utilization
                .record(f64::from(used) / f64::from(quota.max(1)));
        }
    }

    pub(super) fn refunded(&self) {
        self.refunds.increment(1);
    }

    pub(super) fn settled(&self, estimate: u32, actual: u32) {
        let [less, more] = &self.settled;
        less.increment(u64::from(estimate.saturating_sub(actual)));
        more.increment(u64::from(actual.saturating_sub(estimate)));
    }

    pub(super) fn leased(&self, cost: u32) {
        self.leased.increment(u64::from(cost));
    }

    pub(super) fn lease_unused(&self, cost: u32, is_refunded: bool) {
        let [returned, lost] = &self.lease_unused;
        let counter = if is_refunded { returned } else { lost };
        counter.increment(u64::from(cost));
    }

    pub(super) fn wait_began(&self) {
        self.waiting.increment(1.0);
    }

    pub(super) fn wait_ended(&self, time: Duration) {
        self.waiting.decrement(1.0);
        self.wait_seconds.record(time);
    }

    pub(super) fn held(&self) {
        self.running.increment(1.0);
    }

    pub(super) fn released(&self, time: Duration) {
        self.running.decrement(1.0);
        self.run_seconds.record(time);
    }
}
