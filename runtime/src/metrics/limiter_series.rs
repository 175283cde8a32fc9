//! [`LimiterSeries`]: the handles of the series that a limiter has once, not for each policy.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use metrics::{Counter, Gauge, Histogram};

use super::{
    label::{CHANGED, STATES, state_word},
    register::Registrar,
    table::{
        BATCH_SIZE, CHANGES, CIRCUIT, CIRCUIT_TRANSITIONS, CONFIG_GOOD, CONFIG_HASH, CONFIG_TIME,
        EVICTIONS, KEYS, RELOADS, STORE_FAILURES, STORE_SECONDS,
    },
};
use crate::engine::{CallOutcome, Change, ReloadResult, circuit_state::CircuitState};

/// The handles of a limiter's own series. All of them begin at 0, but the closed circuit at 1.
pub(super) struct LimiterSeries {
    store_seconds: [Histogram; CallOutcome::ALL.len()],
    batch_size: Histogram,
    store_failures: Counter,
    circuit: [Gauge; STATES.len()],
    transitions: [Counter; STATES.len()],
    keys: Gauge,
    evictions: Counter,
    reloads: [Counter; ReloadResult::RELOADS.len()],
    config_hash: Gauge,
    config_time: Gauge,
    config_good: Gauge,
    changes: [Counter; CHANGED.len()],
}

impl LimiterSeries {
    pub(super) fn new(registrar: &Registrar) -> Self {
        let series = Self {
            store_seconds: CallOutcome::ALL
                .map(|outcome| registrar.histogram(&STORE_SECONDS, &[outcome.as_str()])),
            batch_size: registrar.histogram(&BATCH_SIZE, &[]),
            store_failures: registrar.counter(&STORE_FAILURES, &[]),
            circuit: STATES.map(|state| registrar.gauge(&CIRCUIT, &[state_word(state)])),
            transitions: STATES
                .map(|state| registrar.counter(&CIRCUIT_TRANSITIONS, &[state_word(state)])),
            keys: registrar.gauge(&KEYS, &[]),
            evictions: registrar.counter(&EVICTIONS, &[]),
            reloads: ReloadResult::RELOADS
                .map(|result| registrar.counter(&RELOADS, &[result.as_str()])),
            config_hash: registrar.gauge(&CONFIG_HASH, &[]),
            config_time: registrar.gauge(&CONFIG_TIME, &[]),
            config_good: registrar.gauge(&CONFIG_GOOD, &[]),
            changes: CHANGED.map(|change| registrar.counter(&CHANGES, &[change])),
        };
        series.show_circuit(CircuitState::Closed);
        series
    }

    pub(super) fn store_called(&self, outcome: CallOutcome, batch_size: usize, time: Duration) {
        if let Some(seconds) = self.store_seconds.get(outcome as usize) {
            seconds.record(time);
        }
        // A batch has far fewer than 2^32 checks.
        self.batch_size
            .record(u32::try_from(batch_size).unwrap_or(u32::MAX));
    }

    pub(super) fn store_failed(&self) {
        self.store_failures.increment(1);
    }

    pub(super) fn circuit_changed(&self, state: CircuitState) {
        self.show_circuit(state);
        let mut states = STATES.iter().zip(&self.transitions);
        if let Some((_, counter)) = states.find(|(one, _)| **one == state) {
            counter.increment(1);
        }
    }

    fn show_circuit(&self, state: CircuitState) {
        for (one, gauge) in STATES.iter().zip(&self.circuit) {
            gauge.set(if *one == state { 1.0 } else { 0.0 });
        }
    }

    pub(super) fn store_sized(&self, keys: usize, evictions: u64) {
        // `max_keys` is far below 2^32.
        self.keys.set(u32::try_from(keys).unwrap_or(u32::MAX));
        self.evictions.absolute(evictions);
    }

    pub(super) fn reloaded(&self, result: ReloadResult, hash: u64, since: SystemTime) {
        let mut results = ReloadResult::RELOADS.iter().zip(&self.reloads);
        if let Some((_, counter)) = results.find(|(one, _)| **one == result) {
            counter.increment(1);
        }
        let is_good = result != ReloadResult::Refused;
        self.config_good.set(if is_good { 1.0 } else { 0.0 });
        #[expect(
            clippy::cast_precision_loss,
            reason = "48 bits, which a float holds exactly"
        )]
        self.config_hash.set(hash as f64);
        let since = since.duration_since(UNIX_EPOCH).unwrap_or_default();
        self.config_time.set(since.as_secs_f64());
    }

    pub(super) fn changed(&self, change: Change) {
        let [reset, block, unblock] = &self.changes;
        let counter = match change {
            Change::Reset => reset,
            Change::Block(_) => block,
            Change::Unblock => unblock,
        };
        counter.increment(1);
    }
}
