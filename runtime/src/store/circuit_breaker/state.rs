//! The states of a circuit breaker and what moves it from one to another. Pure: callers tell the
//! time, and each method is one whole step, so what threads do at once is some order of steps.
//!
//! Incidents are counted, not requests. An incident is one cause, and evidence of it counts only if
//! it is independent of the incident before: see [`Breaker::incident`].
//!
//! Source of the states and their names: M. Nygard, "Release It!", and M. Fowler, "CircuitBreaker".

use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;

use crate::{circuit_state::CircuitState, clock::Micros};

#[derive(Debug)]
pub(super) struct Breaker {
    settings: Settings,
    /// Closed and without an incident, as it nearly always is. Read instead of taking the lock.
    is_calm: AtomicBool,
    state: Mutex<State>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    /// The number of incidents in a row that open the circuit; at least 1.
    pub(super) threshold: u32,
    /// The time that must have passed without a decision before the circuit opens.
    pub(super) silence: Micros,
    /// The first pause, and the longest; each pause is twice the one before.
    pub(super) first_pause: Micros,
    pub(super) longest_pause: Micros,
    /// The time for a verification to say what came of it. Without a word of any by then, the next
    /// request is a probe.
    pub(super) patience: Micros,
    /// Shortens a pause by chance, so that processes do not come back in step.
    pub(super) jitter: fn(Micros) -> Micros,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum State {
    Closed(Option<Row>),
    Open {
        /// The end of the pause.
        until: Micros,
        pause: Micros,
    },
    HalfOpen {
        /// The beginning of the verification. Older evidence says nothing new.
        since: Micros,
        /// The moment at which it is given up.
        until: Micros,
        pause: Micros,
        /// The request that probes, if one does.
        probe: Option<Probe>,
    },
}

/// Incidents without a decision in between.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Row {
    incidents: u32,
    first: Micros,
    latest: Micros,
}

/// What a request may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Permission {
    Permitted,
    /// Ask the store. A probe that leaves without having learnt anything says so by
    /// [`Breaker::probe_dropped`].
    Probe(Probe),
    /// Leave the store alone; it may be back after this time.
    Rejected(Micros),
}

/// Tells one probe from another: the moment of its permission is unique to it while it is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Probe(Micros);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transition {
    Opened { incidents: u32, pause: Micros },
    Reopened { pause: Micros },
    Closed,
}

impl Breaker {
    pub(super) fn new(settings: Settings) -> Self {
        Self {
            settings,
            is_calm: AtomicBool::new(true),
            state: Mutex::new(State::Closed(None)),
        }
    }

    /// Whether a request may ask the store. `now` is called only when the circuit is not calm.
    pub(super) fn permit(&self, now: impl FnOnce() -> Micros) -> Permission {
        if self.is_calm() {
            return Permission::Permitted;
        }
        let now = now();
        self.step(|state| match *state {
            State::Closed(_) => Permission::Permitted,
            State::Open { until, .. } | State::HalfOpen { until, .. } if now < until => {
                Permission::Rejected(until - now)
            }
            // Verifications begin at the end of a pause. Nobody has begun one for so long: the
            // tasks that would are gone with their workers.
            State::Open { until, pause } if now >= until + self.settings.patience => {
                self.probe(state, pause, now)
            }
            State::HalfOpen { pause, .. } => self.probe(state, pause, now),
            State::Open { .. } => Permission::Rejected(0),
        })
    }

    fn probe(&self, state: &mut State, pause: Micros, now: Micros) -> Permission {
        let probe = Probe(now);
        *state = State::HalfOpen {
            since: now,
            until: now + self.settings.patience,
            pause,
            probe: Some(probe),
        };
        Permission::Probe(probe)
    }

    /// The probe has left without having learnt anything, as when its client has: the next request
    /// is one.
    pub(super) fn probe_dropped(&self, dropped: Probe, now: Micros) {
        self.step(|state| {
            if let State::HalfOpen { until, probe, .. } = state
                && *probe == Some(dropped)
            {
                *until = now;
                *probe = None;
            }
        });
    }

    /// Whether the store is to be verified now, by whoever can do so without a request: at the end
    /// of a pause, and while others are at it.
    pub(super) fn begin_verification(&self, now: Micros) -> bool {
        if self.is_calm() {
            return false;
        }
        self.step(|state| match *state {
            State::Closed(_) => false,
            State::Open { until, pause } => {
                let is_due = now >= until;
                if is_due {
                    *state = State::HalfOpen {
                        since: now,
                        until: now + self.settings.patience,
                        pause,
                        probe: None,
                    };
                }
                is_due
            }
            State::HalfOpen { .. } => true,
        })
    }

    /// The store has decided. That closes the circuit, whoever asked and when: it decides now.
    pub(super) fn decided(&self) -> Option<Transition> {
        if self.is_calm() {
            return None;
        }
        self.step(|state| {
            let was_closed = matches!(state, State::Closed(_));
            *state = State::Closed(None);
            (!was_closed).then_some(Transition::Closed)
        })
    }

    /// The store has failed. `began` is when the evidence began: the later beginning of a call says
    /// nothing if the link was not known to be well, so it is the earlier of when the call was sent
    /// and when its link was last known to be well; for an attempt to connect, its start.
    ///
    /// Evidence that began before the latest incident was noticed may be of the same cause, so it
    /// is a part of that incident: all calls on one broken link, all links that break together.
    pub(super) fn incident(&self, began: Micros, now: Micros) -> Option<Transition> {
        self.step(|state| match state {
            State::Closed(row) => {
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
            // Reopened by the first verification that fails, and not by what began before it.
            State::HalfOpen { since, pause, .. } if began >= *since => {
                let pause = pause.saturating_mul(2).min(self.settings.longest_pause);
                *state = self.open(pause, now);
                Some(Transition::Reopened { pause })
            }
            State::HalfOpen { .. } | State::Open { .. } => None,
        })
    }

    /// A request has waited in vain: no incident of its own, but a look at how long there has been
    /// no decision.
    pub(super) fn waited_in_vain(&self, now: Micros) -> Option<Transition> {
        if self.is_calm() {
            return None;
        }
        self.step(|state| self.open_if_due(state, now))
    }

    fn open_if_due(&self, state: &mut State, now: Micros) -> Option<Transition> {
        let State::Closed(Some(row)) = *state else {
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

    fn open(&self, pause: Micros, now: Micros) -> State {
        State::Open {
            until: now.saturating_add((self.settings.jitter)(pause)),
            pause,
        }
    }

    pub(super) fn state(&self) -> CircuitState {
        if self.is_calm() {
            return CircuitState::Closed;
        }
        match *self.state.lock() {
            State::Closed(_) => CircuitState::Closed,
            State::Open { .. } => CircuitState::Open,
            State::HalfOpen { .. } => CircuitState::HalfOpen,
        }
    }

    /// Ordering: a decision that reads a calm circuit while another thread reports the first
    /// incident came before that report.
    fn is_calm(&self) -> bool {
        self.is_calm.load(Ordering::Acquire)
    }

    fn step<T>(&self, step: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.state.lock();
        let outcome = step(&mut state);
        self.is_calm
            .store(*state == State::Closed(None), Ordering::Release);
        outcome
    }
}

#[cfg(test)]
mod tests;
