//! The results of an algorithm: how long until a cost fits, and what is left.

use crate::time::Micros;

/// The time until a cost fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// The cost fits now.
    None,
    /// The cost fits after this many microseconds (at least 1), if nothing else is admitted.
    For(Micros),
    /// The cost exceeds what the limit can ever hold.
    Never,
}

/// The available quota of a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Availability {
    /// The cost that would fit now.
    pub remaining: u32,
    /// The time until the quota is whole again, in microseconds; after that the state means
    /// nothing.
    pub reset: Micros,
    /// The time until more fits than now, in microseconds; 0 if the quota is whole, or if it is
    /// unknown.
    pub more: Micros,
}
