//! The settings of an engine that its decisions need.

use actix_throttle_core::{enforcement::Enforcement, failure_mode::FailureMode};

use super::{named_limits::NamedLimits, switch::LiveEnforcement};

/// Settings that all decisions of one engine share.
#[derive(Debug, Default)]
pub(crate) struct Settings {
    pub(crate) failure_mode: FailureMode,
    pub(crate) max_waiting: MaxWaiting,
    /// The enforcement at the start, as code says.
    pub(crate) enforcement: Enforcement,
    /// The enforcement that a configuration says.
    pub(crate) live_enforcement: Option<LiveEnforcement>,
    /// The limits of a configuration, which rules refer to by name.
    pub(crate) named_limits: Option<NamedLimits>,
}

/// The maximum number of requests that wait for one counter in this process.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct MaxWaiting(pub(crate) usize);

impl Default for MaxWaiting {
    fn default() -> Self {
        Self(1_000)
    }
}
