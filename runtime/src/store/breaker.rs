//! The circuit breaker's states, in one atomic word: every change is one compare-and-swap, so
//! whatever threads do at once is some order of whole changes.
//!
//! Source of the states and their names: M. Nygard, "Release It!", and M. Fowler, "CircuitBreaker".

use std::sync::atomic::{AtomicU64, Ordering};

use crate::{circuit_state::CircuitState, clock::Micros};

#[derive(Debug)]
pub(super) struct Breaker {
    word: AtomicU64,
    /// So many failures in a row open it.
    threshold: u32,
    /// How long it stays open.
    recovery: Micros,
    /// A probe that has said nothing for so long is given up for lost.
    patience: Micros,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// With so many failures in a row.
    Closed(u32),
    /// Until this moment.
    Open(Micros),
    /// Its probe is given up for lost at this moment.
    HalfOpen(Micros),
}

/// What a request may do.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Admission {
    /// Ask the store.
    Pass,
    /// Ask the store, and report by this what came of it.
    Probe(Probe),
    /// Leave the store alone; in so long it may be asked again.
    Refuse(Micros),
}

/// The word that this probe has written: no other probe's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Probe(u64);

/// What a report has changed, to be logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Opened,
    Reopened,
    Closed,
}

impl Breaker {
    pub(super) fn new(threshold: u32, recovery: Micros, patience: Micros) -> Self {
        Self {
            word: AtomicU64::new(State::Closed(0).word()),
            threshold,
            recovery,
            patience,
        }
    }

    /// `now` is asked for only when the circuit is not closed.
    pub(super) fn admit(&self, now: impl FnOnce() -> Micros) -> Admission {
        let mut word = self.word.load(Ordering::Acquire);
        if let State::Closed(_) = State::of(word) {
            return Admission::Pass;
        }
        let now = now();
        loop {
            match State::of(word) {
                State::Closed(_) => return Admission::Pass,
                State::Open(until) | State::HalfOpen(until) if now < until => {
                    return Admission::Refuse(until - now);
                }
                State::Open(_) | State::HalfOpen(_) => {}
            }
            let probing = State::HalfOpen(now.saturating_add(self.patience)).word();
            match self.swap(word, probing) {
                Ok(()) => return Admission::Probe(Probe(probing)),
                Err(actual) => word = actual,
            }
        }
    }

    /// The store has answered one that passed.
    pub(super) fn succeeded(&self) {
        let word = self.word.load(Ordering::Acquire);
        if matches!(State::of(word), State::Closed(1..)) {
            // If another has changed it meanwhile, that came after this answer.
            let _ = self.swap(word, State::Closed(0).word());
        }
    }

    /// The store has failed one that passed. News of the time before it opened change nothing.
    pub(super) fn failed(&self, now: Micros) -> Option<Change> {
        let mut word = self.word.load(Ordering::Acquire);
        loop {
            let State::Closed(failures) = State::of(word) else {
                return None;
            };
            let opens = failures.saturating_add(1) >= self.threshold;
            let next = if opens {
                State::Open(now.saturating_add(self.recovery))
            } else {
                State::Closed(failures + 1)
            };
            match self.swap(word, next.word()) {
                Ok(()) => return opens.then_some(Change::Opened),
                Err(actual) => word = actual,
            }
        }
    }

    /// The store has answered the probe. One that was given up for lost changes nothing.
    pub(super) fn probe_succeeded(&self, probe: Probe) -> Option<Change> {
        let closed = self.swap(probe.0, State::Closed(0).word());
        closed.ok().map(|()| Change::Closed)
    }

    /// The store has failed the probe.
    pub(super) fn probe_failed(&self, probe: Probe, now: Micros) -> Option<Change> {
        let open = State::Open(now.saturating_add(self.recovery));
        let opened = self.swap(probe.0, open.word());
        opened.ok().map(|()| Change::Reopened)
    }

    /// The probe's client has left before the store said anything: the next request is the probe.
    pub(super) fn probe_dropped(&self, probe: Probe, now: Micros) {
        let _ = self.swap(probe.0, State::Open(now).word());
    }

    pub(super) fn state(&self) -> CircuitState {
        match State::of(self.word.load(Ordering::Acquire)) {
            State::Closed(_) => CircuitState::Closed,
            State::Open(_) => CircuitState::Open,
            State::HalfOpen(_) => CircuitState::HalfOpen,
        }
    }

    fn swap(&self, expected: u64, next: u64) -> Result<(), u64> {
        self.word
            .compare_exchange(expected, next, Ordering::AcqRel, Ordering::Acquire)
            .map(drop)
    }
}

/// The lowest two bits tell the states apart; a moment in microseconds takes 53 of the others.
impl State {
    fn word(self) -> u64 {
        match self {
            Self::Closed(failures) => u64::from(failures) << 2,
            Self::Open(until) => until << 2 | 1,
            Self::HalfOpen(until) => until << 2 | 2,
        }
    }

    fn of(word: u64) -> Self {
        match word & 3 {
            1 => Self::Open(word >> 2),
            2 => Self::HalfOpen(word >> 2),
            _ => Self::Closed(u32::try_from(word >> 2).unwrap_or(u32::MAX)),
        }
    }
}

#[cfg(test)]
mod tests;
