//! The circuit of one limiter: the state machine on the monotonic clock, with a log line for each
//! transition. The circuit breaker's layer asks it for permission, and the connections of the store
//! report to it; it never calls the store.

use std::{fmt, time::Duration};

use actix_throttle_core::time::{Micros, to_micros};
use tokio::time::Instant;

use super::state::{Breaker, BreakerSettings, Permission, Probe, Transition};
use crate::engine::{
    circuit_state::CircuitState,
    log_throttle::TARGET,
    observe::{Event, Observers, Teller},
};

/// The number of deadlines that must pass without a decision before the circuit opens: the short
/// stalls that every Redis has now and then are over by then.
const SILENT_DEADLINES: u32 = 3;
/// The first pause. Most outages are short, and verifying a few connections costs the store little.
const FIRST_PAUSE: Duration = Duration::from_millis(250);

/// The circuit that all workers of a limiter share. It uses real time even under a manual clock,
/// because connections do.
#[derive(Debug)]
pub(crate) struct Circuit {
    breaker: Breaker,
    start: Instant,
    settings: CircuitSettings,
    observers: Observers,
    /// The state that the observers know.
    told: Teller<CircuitState>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct CircuitSettings {
    /// The number of incidents in a row that open the circuit; at least 1.
    pub(crate) threshold: u32,
    /// The longest pause between two verifications of a failing store.
    pub(crate) recovery: Duration,
    /// The longest time that a call may take.
    pub(crate) deadline: Duration,
    /// The longest time that a verification may take, connecting included.
    pub(crate) verification: Duration,
}

/// The permission to call the store, held until the call is done. If a probe's permit is dropped
/// without evidence, the next request may probe.
#[derive(Debug)]
#[must_use = "dropped, it makes room for the next probe"]
pub(super) struct CircuitPermit<'a> {
    circuit: &'a Circuit,
    probe: Option<Probe>,
}

impl Circuit {
    pub(crate) fn new(settings: CircuitSettings, observers: Observers) -> Self {
        let breaker = Breaker::new(BreakerSettings {
            threshold: settings.threshold,
            silence: to_micros(settings.deadline.saturating_mul(SILENT_DEADLINES)),
            first_pause: to_micros(FIRST_PAUSE),
            longest_pause: to_micros(settings.recovery),
            verification: to_micros(settings.verification.saturating_add(settings.deadline)),
            jitter: |pause| pause / 2 + fastrand::u64(0..=pause / 2),
        });
        Self {
            breaker,
            start: Instant::now(),
            settings,
            observers,
            told: Teller::new(CircuitState::Closed),
        }
    }

    pub(crate) fn state(&self) -> CircuitState {
        self.breaker.state()
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.state() == CircuitState::Closed
    }

    /// Returns the permission to call the store.
    ///
    /// # Errors
    ///
    /// The time in microseconds until the store may be back, if the circuit does not permit the
    /// call.
    pub(super) fn permit(&self) -> Result<CircuitPermit<'_>, Micros> {
        let probe = match self.breaker.permit(|| self.micros(Instant::now())) {
            Permission::Permitted => None,
            Permission::Probe(probe) => {
                log::info!(target: TARGET, "the circuit is half-open: one request probes the store");
                self.tell();
                Some(probe)
            }
            Permission::Rejected(wait) => return Err(wait),
        };
        Ok(CircuitPermit {
            circuit: self,
            probe,
        })
    }

    /// Returns whether the store is to be verified now, by a task that does so without a request.
    /// The evidence of a verification begins with it.
    pub(crate) fn begin_verification(&self) -> bool {
        let begins = self.breaker.begin_verification(self.micros(Instant::now()));
        if begins {
            self.tell();
        }
        begins
    }

    /// Reports that the store has decided.
    pub(crate) fn decided(&self) {
        if let Some(transition) = self.breaker.decided() {
            self.log(transition, &"");
            self.tell();
        }
    }

    /// Reports a reply that has come after the deadline; see [`Breaker::replied_late`].
    pub(crate) fn replied_late(&self) {
        self.breaker.replied_late(self.micros(Instant::now()));
    }

    /// Reports a failure whose evidence began at `began`; see [`Breaker::incident`].
    pub(crate) fn incident(&self, began: Instant, reason: &dyn fmt::Display) {
        let now = self.micros(Instant::now());
        if let Some(transition) = self.breaker.incident(self.micros(began), now) {
            self.log(transition, reason);
            self.tell();
        }
    }

    /// Reports that a request reached its deadline, which is no incident by itself.
    pub(crate) fn deadline_passed(&self, reason: &dyn fmt::Display) {
        let now = || self.micros(Instant::now());
        if let Some(transition) = self.breaker.deadline_passed(now()) {
            self.log(transition, reason);
            self.tell();
        }
    }

    /// Converts to microseconds since the circuit was created, starting at 1.
    fn micros(&self, at: Instant) -> Micros {
        to_micros(at.saturating_duration_since(self.start)).saturating_add(1)
    }

    /// Tells the observers the state, if they do not know it. What they hear last is the state that
    /// stays: each transition comes here, and the state is read until it is the one that was told.
    fn tell(&self) {
        let unknown = |told: &mut CircuitState| {
            let state = self.state();
            (std::mem::replace(told, state) != state).then_some(state)
        };
        self.told.tell(unknown, |state| {
            self.observers.tell(|| Event::CircuitChanged { state });
        });
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

/// Reports a dropped probe. If the probe has found something out, it has changed the state already,
/// and this changes nothing.
impl Drop for CircuitPermit<'_> {
    fn drop(&mut self) {
        if let Some(probe) = self.probe {
            let now = self.circuit.micros(Instant::now());
            self.circuit.breaker.probe_dropped(probe, now);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{Arc, OnceLock, mpsc},
        thread,
    };

    use parking_lot::Mutex;

    use super::*;
    use crate::engine::observe::Observer;

    /// An observer that reports a decision as soon as it hears that the circuit is open.
    #[derive(Default)]
    struct Caller {
        circuit: OnceLock<Arc<Circuit>>,
        heard: Mutex<Vec<CircuitState>>,
    }

    impl Observer for Arc<Caller> {
        fn observe(&self, event: &Event<'_>) {
            if let Event::CircuitChanged { state } = event {
                self.heard.lock().push(*state);
                if let (CircuitState::Open, Some(circuit)) = (state, self.circuit.get()) {
                    circuit.decided();
                }
            }
        }
    }

    #[test]
    fn observer_that_changes_the_circuit_hears_of_it_afterwards() {
        let (done, finished) = mpsc::channel();
        // A thread of its own: one that is blocked for ever cannot fail.
        thread::spawn(move || {
            let caller = Arc::new(Caller::default());
            let settings = CircuitSettings {
                threshold: 1,
                recovery: Duration::from_secs(30),
                deadline: Duration::ZERO,
                verification: Duration::from_secs(1),
            };
            let observers = Observers::new(vec![Box::new(Arc::clone(&caller))]);
            let circuit = Arc::new(Circuit::new(settings, observers));
            caller.circuit.set(Arc::clone(&circuit)).expect("once");
            circuit.incident(Instant::now(), &"an outage");
            let heard = caller.heard.lock().clone();
            done.send((heard, circuit.state())).expect("it is awaited");
        });
        let (heard, state) = finished
            .recv_timeout(Duration::from_secs(60))
            .expect("a deadlock");
        assert_eq!(heard, [CircuitState::Open, CircuitState::Closed]);
        assert_eq!(state, CircuitState::Closed);
    }
}
