//! A store behind a circuit breaker: one that has failed several times in a row is left alone for a
//! while, then asked by one request.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use super::{
    breaker::{Admission, Breaker, Change, Probe},
    interface::{Check, Outcomes, Store, StoreError},
};
use crate::{
    circuit_state::CircuitState,
    clock::{Clock, Micros, length},
    key::Key,
    log_throttle::TARGET,
};

#[derive(Debug)]
pub(crate) struct Circuit<S> {
    inner: S,
    breaker: Breaker,
    clock: Clock,
    settings: CircuitSettings,
    /// The latest incident that was counted.
    incident: AtomicU64,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct CircuitSettings {
    /// So many failures in a row open the circuit; at least 1.
    pub(crate) threshold: u32,
    /// How long it then stays open.
    pub(crate) recovery: Duration,
    /// How long the store takes for an answer at most.
    pub(crate) deadline: Duration,
}

impl<S> Circuit<S> {
    pub(crate) fn new(inner: S, settings: CircuitSettings, clock: Clock) -> Self {
        let recovery = length(settings.recovery);
        // The store keeps to its deadline; so much longer is for a probe that never reports.
        let patience = length(settings.deadline).saturating_add(recovery);
        Self {
            inner,
            breaker: Breaker::new(settings.threshold, recovery, patience),
            clock,
            settings,
            incident: AtomicU64::new(0),
        }
    }

    pub(crate) fn state(&self) -> CircuitState {
        self.breaker.state()
    }

    /// Asks the store if it is to be asked, and learns from what it says.
    async fn ask<T>(
        &self,
        question: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let probe = match self.breaker.admit(|| self.clock.now()) {
            Admission::Pass => None,
            Admission::Probe(probe) => {
                log::info!(target: TARGET, "the circuit is half-open: one request asks the store");
                Some(PendingProbe {
                    breaker: &self.breaker,
                    clock: &self.clock,
                    probe: Some(probe),
                })
            }
            Admission::Refuse(wait) => return Err(StoreError::circuit_open(wait)),
        };
        let answer = question.await;
        let now = || self.clock.now();
        let change = match (&answer, probe) {
            (Ok(_), None) => {
                self.breaker.succeeded();
                None
            }
            (Ok(_), Some(pending)) => pending.settle(|probe| self.breaker.probe_succeeded(probe)),
            (Err(error), None) if self.is_news(error) => self.breaker.failed(now()),
            (Err(error), Some(pending)) if error.is_failure() => {
                pending.settle(|probe| self.breaker.probe_failed(probe, now()))
            }
            // Says nothing of the store. A probe that is dropped lets the next request be one.
            (Err(_), _) => None,
        };
        match (answer, change) {
            (answer, None) => answer,
            (answer, Some(change)) => {
                self.log(change, answer.as_ref().err());
                answer.map_err(StoreError::logged)
            }
        }
    }

    /// A connection that breaks under many requests is one failure, not many. And of a store of many
    /// nodes, those that answer are to be asked.
    fn is_news(&self, error: &StoreError) -> bool {
        if !error.is_failure() || error.is_partial() {
            return false;
        }
        match error.incident() {
            0 => true,
            incident => self.incident.fetch_max(incident, Ordering::Relaxed) < incident,
        }
    }

    fn log(&self, change: Change, error: Option<&StoreError>) {
        let CircuitSettings {
            threshold,
            recovery,
            ..
        } = self.settings;
        let error = error.map(ToString::to_string).unwrap_or_default();
        match change {
            Change::Opened => log::warn!(
                target: TARGET,
                "the circuit is open after {threshold} failures in a row, the last: {error}; \
                 the store is asked again in {recovery:?}"
            ),
            Change::Reopened => log::warn!(
                target: TARGET,
                "the circuit stays open: {error}; the store is asked again in {recovery:?}"
            ),
            Change::Closed => {
                log::warn!(target: TARGET, "the circuit is closed: the store decides again");
            }
        }
    }
}

/// A probe on its way. Dropped without an answer, as when its client leaves, it makes room for the
/// next.
struct PendingProbe<'a> {
    breaker: &'a Breaker,
    clock: &'a Clock,
    probe: Option<Probe>,
}

impl PendingProbe<'_> {
    fn settle(mut self, report: impl FnOnce(Probe) -> Option<Change>) -> Option<Change> {
        self.probe.take().and_then(report)
    }
}

impl Drop for PendingProbe<'_> {
    fn drop(&mut self) {
        if let Some(probe) = self.probe.take() {
            self.breaker.probe_dropped(probe, self.clock.now());
        }
    }
}

impl<S: Store> Store for Circuit<S> {
    async fn decide(&self, checks: &[Check<'_>]) -> Result<Outcomes, StoreError> {
        self.ask(self.inner.decide(checks)).await
    }

    async fn forget(&self, keys: &[Key<'_>]) -> Result<(), StoreError> {
        self.ask(self.inner.forget(keys)).await
    }

    async fn block(&self, key: &Key<'_>, length: Micros) -> Result<(), StoreError> {
        self.ask(self.inner.block(key, length)).await
    }

    fn close(&self) {
        self.inner.close();
    }
}
