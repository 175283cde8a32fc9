//! [`LimitOptions`]: what a limit says apart from its numbers, and [`NamedLimit`], a limit with
//! them. Rules and configurations have both.

use std::time::Duration;

use super::{AnyLimit, Limit, SlowDown};
use crate::{failure_mode::FailureMode, status_set::StatusSet};

/// Options of a limit apart from its numbers. `None` leaves an option to the next in line: the
/// rule, then the limit that it names, then the limiter.
#[doc(hidden)]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LimitOptions {
    pub failure_mode: Option<FailureMode>,
    /// The statuses of responses whose charge is refunded; only for a rate.
    pub refund_on: Option<StatusSet>,
    /// Whether the cost is an estimate; only for a rate.
    pub settle: Option<bool>,
    pub max_wait: Option<Duration>,
    /// The words of the slow-down; only for a rate.
    pub slow_down: SlowDown,
}

/// A limit of the configuration, with its options.
#[doc(hidden)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedLimit {
    pub limit: AnyLimit,
    pub options: LimitOptions,
}

impl LimitOptions {
    /// Returns these options, and those of `next` where these leave one open.
    #[doc(hidden)]
    #[must_use]
    pub fn or(&self, next: &Self) -> Self {
        Self {
            failure_mode: self.failure_mode.or(next.failure_mode),
            refund_on: self.refund_on.as_ref().or(next.refund_on.as_ref()).cloned(),
            settle: self.settle.or(next.settle),
            max_wait: self.max_wait.or(next.max_wait),
            slow_down: self.slow_down.or(&next.slow_down),
        }
    }
}

impl From<Limit> for NamedLimit {
    fn from(limit: Limit) -> Self {
        Self {
            limit: AnyLimit::Rate(limit),
            options: LimitOptions::default(),
        }
    }
}
