//! The circuit of one limiter: its state machine, on the monotonic clock, with a log line for each
//! change.

use std::{fmt, time::Duration};

use tokio::time::Instant;

use super::state::{Breaker, Permission, Probe, Settings, Transition};
use crate::{
    circuit_state::CircuitState,
    clock::{Micros, to_micros},
    log_throttle::TARGET,
};

/// Deadlines without a decision before the circuit opens: a stall as long as that is none of those
/// that every server has.
const SILENT_DEADLINES: u32 = 3;
/// The first pause: most outages are over soon, and to verify a few links costs the store little.
const FIRST_PAUSE: Duration = Duration::from_millis(250);

/// Shared by the circuit breaker's layer, which asks it for permission, and the connections inside,
/// which report what they see. It goes by real time, also under a manual clock: so do connections.
#[derive(Debug)]
pub(crate) struct Circuit {
    breaker: Breaker,
    start: Instant,
    settings: CircuitSettings,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct CircuitSettings {
    /// The number of incidents in a row that open the circuit; at least 1.
    pub(crate) threshold: u32,
    /// The longest pause between two verifications of a store that fails.
    pub(crate) recovery: Duration,
    /// The longest time that the store takes for an answer.
    pub(crate) deadline: Duration,
    /// The longest time that a verification takes, a connection included.
    pub(crate) verification: Duration,
}

/// A permission to ask the store, to be held until it has answered.
#[derive(Debug)]
#[must_use = "dropped, it makes room for the next probe"]
pub(super) struct Permit<'a> {
    circuit: &'a Circuit,
    probe: Option<Probe>,
}

impl Circuit {
    pub(crate) fn new(settings: CircuitSettings) -> Self {
        let breaker = Breaker::new(Settings {
            threshold: settings.threshold,
            silence: to_micros(settings.deadline.saturating_mul(SILENT_DEADLINES)),
            first_pause: to_micros(FIRST_PAUSE),
            longest_pause: to_micros(settings.recovery),
            patience: to_micros(settings.verification.saturating_add(settings.deadline)),
            jitter: |pause| pause / 2 + fastrand::u64(0..=pause / 2),
        });
        Self {
            breaker,
            start: Instant::now(),
            settings,
        }
    }

    pub(crate) fn state(&self) -> CircuitState {
        self.breaker.state()
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.state() == CircuitState::Closed
    }

    /// Permission to ask the store, or how long it is left alone.
    pub(super) fn permit(&self) -> Result<Permit<'_>, Micros> {
        let probe = match self.breaker.permit(|| self.micros(Instant::now())) {
            Permission::Permitted => None,
            Permission::Probe(probe) => {
                log::info!(target: TARGET, "the circuit is half-open: one request asks the store");
                Some(probe)
            }
            Permission::Rejected(wait) => return Err(wait),
        };
        Ok(Permit {
            circuit: self,
            probe,
        })
    }

    /// Whether the store is to be verified now, by a task that can do so without a request. The
    /// evidence of a verification began when it did.
    pub(crate) fn begin_verification(&self) -> bool {
        self.breaker.begin_verification(self.micros(Instant::now()))
    }

    /// The store has decided.
    pub(crate) fn decided(&self) {
        if let Some(transition) = self.breaker.decided() {
            self.log(transition, &"");
        }
    }

    /// The store has failed, by evidence that began at this moment: see [`Breaker::incident`].
    pub(crate) fn incident(&self, began: Instant, reason: &dyn fmt::Display) {
        let now = self.micros(Instant::now());
        if let Some(transition) = self.breaker.incident(self.micros(began), now) {
            self.log(transition, reason);
        }
    }

    /// A request has waited in vain, which is no incident by itself.
    pub(crate) fn waited_in_vain(&self, reason: &dyn fmt::Display) {
        let now = || self.micros(Instant::now());
        if let Some(transition) = self.breaker.waited_in_vain(now()) {
            self.log(transition, reason);
        }
    }

    /// Microseconds since the circuit was made, from 1.
    fn micros(&self, at: Instant) -> Micros {
        to_micros(at.saturating_duration_since(self.start)).saturating_add(1)
    }

    fn log(&self, transition: Transition, reason: &dyn fmt::Display) {
        let longest = self.settings.recovery;
        match transition {
            Transition::Opened { incidents, pause } => log::warn!(
                target: TARGET,
                "the circuit is open after {incidents} failures in a row, the last: {reason}; the \
                 store is verified again within {:?}, then at intervals of up to {longest:?}",
                Duration::from_micros(pause)
            ),
            Transition::Reopened { pause } => log::warn!(
                target: TARGET,
                "the circuit stays open: {reason}; the store is verified again within {:?}",
                Duration::from_micros(pause)
            ),
            Transition::Closed => {
                log::warn!(target: TARGET, "the circuit is closed: the store decides again");
            }
        }
    }
}

/// A probe that has learnt something has changed the circuit by then, and its end changes nothing.
impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if let Some(probe) = self.probe {
            let now = self.circuit.micros(Instant::now());
            self.circuit.breaker.probe_dropped(probe, now);
        }
    }
}
