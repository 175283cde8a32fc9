//! [`MetricLabel`]: the labels of metrics, and all of their values.

use actix_throttle_core::decision::DecisionSource;

use crate::engine::{DecisionResult, circuit_state::CircuitState};

/// A label, all values of which are known before the first request; those of `policy` as soon as
/// the policy is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MetricLabel {
    Policy,
    Result,
    Source,
    /// The outcome of a call of the store.
    Outcome,
    /// The state of the circuit.
    State,
    /// The result of a reload.
    Reload,
    /// Whether a settlement took more or less than the estimate.
    Direction,
    /// The fate of a lease's unused part.
    Fate,
    /// The change of a counter by hand.
    Change,
}

/// The states of the circuit, in the order of their series.
pub(super) const STATES: [CircuitState; 3] = [
    CircuitState::Closed,
    CircuitState::Open,
    CircuitState::HalfOpen,
];

/// Returns the word of a state of the circuit.
pub(super) fn state_word(state: CircuitState) -> &'static str {
    match state {
        CircuitState::Closed => "closed",
        CircuitState::Open => "open",
        CircuitState::HalfOpen => "half_open",
    }
}

pub(super) const DIRECTIONS: [&str; 2] = ["less", "more"];
pub(super) const FATES: [&str; 2] = ["returned", "lost"];
pub(super) const CHANGED: [&str; 3] = ["reset", "block", "unblock"];

impl MetricLabel {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Policy => "policy",
            Self::Result | Self::Reload => "result",
            Self::Source => "source",
            Self::Outcome => "outcome",
            Self::State => "state",
            Self::Direction => "direction",
            Self::Fate => "fate",
            Self::Change => "change",
        }
    }

    /// Returns all values; none for `policy`, whose values the application names.
    #[cfg(test)]
    pub(super) fn values(self) -> Vec<&'static str> {
        use crate::engine::{CallOutcome, ReloadResult};
        match self {
            Self::Policy => Vec::new(),
            Self::Result => DecisionResult::ALL.map(DecisionResult::as_str).to_vec(),
            Self::Source => DecisionSource::ALL.map(DecisionSource::as_str).to_vec(),
            Self::Outcome => CallOutcome::ALL.map(CallOutcome::as_str).to_vec(),
            Self::State => STATES.map(state_word).to_vec(),
            Self::Reload => ReloadResult::RELOADS.map(ReloadResult::as_str).to_vec(),
            Self::Direction => DIRECTIONS.to_vec(),
            Self::Fate => FATES.to_vec(),
            Self::Change => CHANGED.to_vec(),
        }
    }
}

/// The sources that a result can have. Series of these begin at 0; there are no others.
pub(super) const fn sources(result: DecisionResult) -> &'static [DecisionSource] {
    use DecisionSource::{DenialCache, Lease, Local, Store};
    match result {
        DecisionResult::Allowed => &[Store, Lease, Local],
        DecisionResult::ShadowDenied => &[Store, Lease, Local],
        DecisionResult::Denied | DecisionResult::Blocked | DecisionResult::TimedOut => {
            &[Store, DenialCache, Local]
        }
        DecisionResult::Canceled
        | DecisionResult::Unidentified
        | DecisionResult::UndecidedOpen
        | DecisionResult::UndecidedClosed => &[Local],
    }
}
