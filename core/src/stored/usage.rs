//! The usage of a stored counter at one moment.

use crate::time::Micros;

/// The usage of a counter at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StoredUsage {
    /// The cost that counts at this moment.
    pub used: u32,
    /// Whether `used` is computed from the expiry of the key. A bucket drains at a rate that is not
    /// stored.
    pub is_estimate: bool,
    /// The time until nothing counts any more, in microseconds. `None` if the key does not tell.
    pub reset: Option<Micros>,
}

impl StoredUsage {
    pub(super) fn exact(used: u32, reset: Micros) -> Self {
        Self {
            used,
            is_estimate: false,
            reset: Some(if used == 0 { 0 } else { reset }),
        }
    }
}
