//! [`Offences`]: what a block remembers of the offences of an identity.

use std::time::Duration;

use actix_throttle_core::stored::StoredOffences;
#[cfg(feature = "status-page")]
use actix_throttle_core::stored::offences_in_words;

/// The offences in a row of one identity in one zone, under limits whose blocks [get
/// longer](crate::Limit::block_steps).
///
/// [`LimitUsage::offences`](crate::LimitUsage::offences) returns it.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offences {
    /// The number of offences, at least 1. It may be above `steps`, as the last length is repeated.
    pub count: u32,
    /// The number of lengths that the limit of the latest offence has.
    pub steps: u32,
    /// The length of the block that the next offence starts, under the limit of the latest one.
    pub next_block: Duration,
    /// The time until the offences are forgotten, unless another one comes before.
    pub forgotten_after: Duration,
}

impl Offences {
    /// Returns the step that the latest offence has come to, from 1.
    #[must_use]
    pub fn step(&self) -> u32 {
        self.count.min(self.steps)
    }

    pub(crate) fn of(stored: &StoredOffences) -> Self {
        Self {
            count: stored.count.into(),
            steps: stored.steps.into(),
            next_block: Duration::from_micros(stored.next),
            forgotten_after: Duration::from_micros(stored.left),
        }
    }

    /// Returns the offences in words: `offence 2 of 3`.
    #[cfg(feature = "status-page")]
    pub(crate) fn in_words(&self) -> String {
        offences_in_words(self.count, self.steps)
    }
}
