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
#[inline]
pub fn to_micros(duration: Duration) -> Micros {
    duration
        .as_secs()
        .saturating_mul(1_000_000)
        .saturating_add(duration.subsec_micros().into())
        .min(MAX_MICROS)
}

/// Converts a duration to whole microseconds, cut to at most `u64::MAX`. That is far above every
/// valid range, so a length that is too long stays too long.
#[allow(clippy::cast_possible_truncation, reason = "compared first")]
#[inline]
pub(crate) const fn whole_micros(duration: Duration) -> u64 {
    let micros = duration.as_micros();
    if micros > u64::MAX as u128 {
        u64::MAX
    } else {
        micros as u64
    }
}

/// Converts to whole seconds, rounded up, so that a client that waits this long has waited enough.
#[inline]
pub fn whole_seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}
