//! The bounds of a scan unless its caller sets others.

use std::time::Duration;

use crate::engine::store::interface::ScanBounds;

/// A Redis of a million keys is scanned in a few seconds.
pub(super) const BOUNDS: ScanBounds = ScanBounds {
    max_keys: 1_000_000,
    max_time: Duration::from_secs(30),
};
