//! Exact arithmetic on integers that the algorithms share: nothing overflows, and lengths are cut.

use crate::time::{MAX_MICROS, Micros};

/// Cuts an exact length to at most [`MAX_MICROS`].
#[inline]
pub(super) fn saturate(micros: u128) -> Micros {
    u64::try_from(micros).map_or(MAX_MICROS, |micros| micros.min(MAX_MICROS))
}

/// Divides and rounds up. Most numbers fit in 64 bits; a 128-bit division is a function call.
#[inline]
pub(super) fn div_ceil(number: u128, by: u64) -> u128 {
    match u64::try_from(number) {
        Ok(number) => number.div_ceil(by).into(),
        Err(_) => number.div_ceil(by.into()),
    }
}

/// Divides, and returns the quotient and the remainder.
#[inline]
pub(super) fn div_rem(number: u128, by: u64) -> (u128, u64) {
    match u64::try_from(number) {
        Ok(number) => ((number / by).into(), number % by),
        Err(_) => (number / u128::from(by), saturate(number % u128::from(by))),
    }
}

/// Converts an exact count that is known to fit in 32 bits.
#[inline]
pub(super) fn saturate_count(exact: u128) -> u32 {
    u32::try_from(exact).unwrap_or(u32::MAX)
}
