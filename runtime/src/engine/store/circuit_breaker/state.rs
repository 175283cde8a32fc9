//! The states of a circuit breaker and their transitions. The state machine is pure: callers pass
//! the time in. Each method is one step under the lock, so any concurrent calls are equal to some
//! sequence of steps. Only [`Circuit`](super::Circuit) calls it.
//!
//! It counts incidents, not requests. An incident is one cause, and evidence counts as a new
//! incident only if it is independent of the one before; see [`Breaker::incident`].
//!
//! Source of the states and their names: M. Nygard, "Release It!", and M. Fowler, "CircuitBreaker".

use std::sync::atomic::{AtomicBool, Ordering};

use actix_throttle_core::time::Micros;
use parking_lot::Mutex;

use crate::engine::circuit_state::CircuitState;

#[derive(Debug)]
pub(super) struct Breaker {
    settings: BreakerSettings,
    /// Whether the state is closed without an incident, as it nearly always is. It is read without
    /// the lock, so that a healthy store costs one atomic load per request.
    is_calm: AtomicBool,
    state: Mutex<BreakerState>,
}

/// The numbers that the transitions go by.
#[derive(Clone, Copy, Debug)]
pub(super) struct BreakerSettings {
    /// The number of incidents in a row that open the circuit; at least 1.
    pub(super) threshold: u32,
    /// The time that must have passed without a decision before the circuit opens.
    pub(super) silence: Micros,
    /// The first and the longest pause; each pause is twice the one before.
    pub(super) first_pause: Micros,
    pub(super) longest_pause: Micros,
    /// The longest time for a verification to report its result. After that, the next request is a
    /// probe.
    pub(super) verification: Micros,
    /// The function that shortens a pause by a random part, so that processes do not reconnect in
    /// step: backoff with jitter.
    pub(super) jitter: fn(Micros) -> Micros,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum BreakerState {
    Closed(Option<Row>),
    Open {
        /// The end of the pause.
        until: Micros,
        pause: Micros,
    },
    HalfOpen {
        /// The start of the verification. Older evidence does not count.
        since: Micros,
        /// The time at which the verification is given up.
        until: Micros,
        pause: Micros,
        /// The request that probes, if there is one.
        probe: Option<Probe>,
    },
}

/// Consecutive incidents without a decision in between.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Row {
    incidents: u32,
    first: Micros,
    latest: Micros,
}

/// The breaker's decision on a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Permission {
    Permitted,
    /// Call the store as the probe. A probe that ends without evidence reports
    /// [`Breaker::probe_dropped`].
    Probe(Probe),
    /// Leave the store alone; it may be back after this time, in microseconds.
    Rejected(Micros),
}

/// The id of a probe: the time of its permission, which is unique while it is the probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Probe(Micros);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transition {
    Opened { incidents: u32, pause: Micros },
    Reopened { pause: Micros },
    Closed,
}

impl Breaker {
    pub(super) fn new(settings: BreakerSettings) -> Self {
        Self {
            settings,
            is_calm: AtomicBool::new(true),
            state: Mutex::new(BreakerState::Closed(None)),
        }
    }

    /// Returns whether a request may call the store. Calls `now` only while the circuit is not
    /// calm.
    pub(super) fn permit(&self, now: impl FnOnce() -> Micros) -> Permission {
        if self.is_calm() {
            return Permission::Permitted;
        }
        let now = now();
        self.step(|state| match *state {
            BreakerState::Closed(_) => Permission::Permitted,
            BreakerState::Open { until, .. } | BreakerState::HalfOpen { until, .. }
                if now < until =>
            {
                Permission::Rejected(until - now)
            }
            // A connection's task begins a verification at the end of a pause. No task has done so
            // for this long, so the tasks have ended with their workers.
            BreakerState::Open { until, pause } if now >= until + self.settings.verification => {
                self.probe(state, pause, now)
            }
            BreakerState::HalfOpen { pause, .. } => self.probe(state, pause, now),
            BreakerState::Open { .. } => Permission::Rejected(0),
        })
    }

    fn probe(&self, state: &mut BreakerState, pause: Micros, now: Micros) -> Permission {
        let probe = Probe(now);
        *state = BreakerState::HalfOpen {
            since: now,
            until: now + self.settings.verification,
            pause,
            probe: Some(probe),
        };
        Permission::Probe(probe)
    }

    /// Reports that the probe ended without evidence, for instance because its client disconnected.
    /// The next request probes.
    pub(super) fn probe_dropped(&self, dropped: Probe, now: Micros) {
        self.step(|state| {
            if let BreakerState::HalfOpen { until, probe, .. } = state
                && *probe == Some(dropped)
            {
                *until = now;
                *probe = None;
            }
        });
    }

    /// Returns whether a task is to verify the store now, without a request: at the end of a pause,
    /// and while other tasks are verifying it.
    pub(super) fn begin_verification(&self, now: Micros) -> bool {
        if self.is_calm() {
            return false;
        }
        self.step(|state| match *state {
            BreakerState::Closed(_) => false,
            BreakerState::Open { until, pause } => {
                let is_due = now >= until;
                if is_due {
                    *state = BreakerState::HalfOpen {
                        since: now,
                        until: now + self.settings.verification,
                        pause,
                        probe: None,
                    };
                }
                is_due
            }
            BreakerState::HalfOpen { .. } => true,
        })
    }

    /// Reports that the store has decided. A decision closes the circuit whatever call it belongs
    /// to and whenever that began: the store decides now.
    pub(super) fn decided(&self) -> Option<Transition> {
        if self.is_calm() {
            return None;
        }
        self.step(|state| {
            let was_closed = matches!(state, BreakerState::Closed(_));
            *state = BreakerState::Closed(None);
            (!was_closed).then_some(Transition::Closed)
        })
    }

    /// Reports a reply that has come after the deadline, although this process was punctual. It is
    /// of use to no request, so it ends no row of incidents: a store that is always too slow is no
    /// better than none. But it may end a silence, so an open circuit has the store verified now.
    pub(super) fn replied_late(&self, now: Micros) {
        if self.is_calm() {
            return;
        }
        self.step(|state| {
            if let BreakerState::Open { until, .. } = state {
                *until = now.min(*until);
            }
        });
    }

    /// Reports a failure of the store. `began` is when its evidence began. For an attempt to
    /// connect that is its start. For a call, it is the earlier of the time when it was sent and
    /// the time when its connection last worked: the start of a call proves nothing about a
    /// connection that was broken before.
    ///
    /// Evidence that began before the latest incident was noticed may have the same cause, so it
    /// belongs to that incident. This covers all calls on one broken connection, and all
    /// connections that break together.
    pub(super) fn incident(&self, began: Micros, now: Micros) -> Option<Transition> {
        self.step(|state| match state {
            BreakerState::Closed(row) => {
                match row {
                    None => {
                        *row = Some(Row {
                            incidents: 1,
                            first: now,
                            latest: now,
                        });
                    }
                    Some(row) if began >= row.latest => {
                        row.incidents = row.incidents.saturating_add(1);
                        row.latest = now;
                    }
                    Some(_) => {}
                }
                self.open_if_due(state, now)
            }
            // The first verification that fails reopens the circuit; evidence that began before it
            // does not.
            BreakerState::HalfOpen { since, pause, .. } if began >= *since => {
                let pause = pause.saturating_mul(2).min(self.settings.longest_pause);
                *state = self.open(pause, now);
                Some(Transition::Reopened { pause })
            }
            BreakerState::HalfOpen { .. } | BreakerState::Open { .. } => None,
        })
    }

    /// Reports that a request reached its deadline. That is no incident by itself, but the time
    /// without a decision may now be long enough to open the circuit.
    pub(super) fn deadline_passed(&self, now: Micros) -> Option<Transition> {
        if self.is_calm() {
            return None;
        }
        self.step(|state| self.open_if_due(state, now))
    }

    fn open_if_due(&self, state: &mut BreakerState, now: Micros) -> Option<Transition> {
        let BreakerState::Closed(Some(row)) = *state else {
            return None;
        };
        let is_due = row.incidents >= self.settings.threshold
            && now.saturating_sub(row.first) >= self.settings.silence;
        is_due.then(|| {
            let pause = self.settings.first_pause.min(self.settings.longest_pause);
            *state = self.open(pause, now);
            Transition::Opened {
                incidents: row.incidents,
                pause,
            }
        })
    }

    fn open(&self, pause: Micros, now: Micros) -> BreakerState {
        BreakerState::Open {
            until: now.saturating_add((self.settings.jitter)(pause)),
            pause,
        }
    }

    pub(super) fn state(&self) -> CircuitState {
        if self.is_calm() {
            return CircuitState::Closed;
        }
        match *self.state.lock() {
            BreakerState::Closed(_) => CircuitState::Closed,
            BreakerState::Open { .. } => CircuitState::Open,
            BreakerState::HalfOpen { .. } => CircuitState::HalfOpen,
        }
    }

    /// Acquire pairs with the release in `step`: a request that reads a calm circuit while another
    /// thread reports the first incident is ordered before that report.
    fn is_calm(&self) -> bool {
        self.is_calm.load(Ordering::Acquire)
    }

    fn step<T>(&self, step: impl FnOnce(&mut BreakerState) -> T) -> T {
        let mut state = self.state.lock();
        let outcome = step(&mut state);
        self.is_calm
            .store(*state == BreakerState::Closed(None), Ordering::Release);
        outcome
    }
}

#[cfg(test)]
mod tests;
