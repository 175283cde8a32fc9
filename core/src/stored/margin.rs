//! The margin by which a key outlives what it counts.

use crate::time::Micros;

/// How long after what it counts a key expires, in microseconds: `margin` in `read.lua`.
pub const EXPIRY_MARGIN: Micros = 100_000;
