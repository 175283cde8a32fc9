//! Time as a number: microseconds, saturating.

use std::time::Duration;

/// Microseconds, as a point in time since the Unix epoch or as a length.
///
/// Every value that decides anything stays below 2^53, up to which the doubles of Redis' Lua are
/// exact.
pub type Micros = u64;

/// The largest length, to which longer ones are cut: 2^53 − 1 µs, about 285 years.
pub const MAX_MICROS: Micros = (1 << 53) - 1;

/// Converts a duration to whole microseconds, cut to at most [`MAX_MICROS`].
pub fn to_micros(duration: Duration) -> Micros {
    duration
        .as_secs()
        .saturating_mul(1_000_000)
        .saturating_add(duration.subsec_micros().into())
        .min(MAX_MICROS)
}

/// Converts to whole seconds, rounded up, so that a client that waits this long has waited enough.
pub fn whole_seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}
