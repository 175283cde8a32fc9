//! The settings of an engine that its decisions need.

use actix_throttle_core::{enforcement::Enforcement, failure_mode::FailureMode};

use super::{named_limits::NamedLimits, switch::LiveEnforcement};

/// Settings that all decisions of one engine share.
#[derive(Debug)]
pub(crate) struct EngineSettings {
    pub(crate) failure_mode: FailureMode,
    /// The largest number of requests that wait for one counter in this process.
    pub(crate) max_waiting: usize,
    /// The enforcement at the start, as code says.
    pub(crate) enforcement: Enforcement,
    /// The enforcement that a configuration says.
    pub(crate) live_enforcement: Option<LiveEnforcement>,
    /// The limits of a configuration, which rules refer to by name.
    pub(crate) named_limits: Option<NamedLimits>,
}

/// The default of [`EngineSettings::max_waiting`].
const DEFAULT_MAX_WAITING: usize = 1_000;

impl Default for EngineSettings {
    fn default() -> Self {
        Self {
            failure_mode: FailureMode::default(),
            max_waiting: DEFAULT_MAX_WAITING,
            enforcement: Enforcement::default(),
            live_enforcement: None,
            named_limits: None,
        }
    }
}
