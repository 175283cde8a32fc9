//! The error of a simulation that cannot be created.

use std::fmt;

use crate::limit::LimitError;

/// The error of limits that cannot be simulated together.
#[derive(Clone, PartialEq, Eq)]
pub struct SimulationError {
    pub(super) limit: &'static str,
    pub(super) reason: SimulationErrorReason,
}

#[derive(Clone, PartialEq, Eq)]
pub(super) enum SimulationErrorReason {
    Invalid(LimitError),
    SharedCounter,
}

crate::debug_is_message!(SimulationError);

impl fmt::Display for SimulationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let limit = self.limit;
        match self.reason {
            SimulationErrorReason::Invalid(error) => write!(f, "limit `{limit}`: {error}"),
            SimulationErrorReason::SharedCounter => write!(
                f,
                "limit `{limit}` shares its counter with another one; give it a zone of its own"
            ),
        }
    }
}

impl std::error::Error for SimulationError {}
