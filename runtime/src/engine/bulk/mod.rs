//! Operations on many keys at once, by hand: resets of a limit, a zone or everything, and a look at
//! all limits of an identity. They are bounded in keys and in time, no request calls them, and
//! nothing is charged. The failure mode does not apply.

mod peek;
mod reset;
mod usage;

pub use self::{
    peek::PeekIdentity,
    reset::{BulkReset, ResetReport},
    usage::{IdentityUsage, LimitUsage, UsageState},
};
use super::store::interface::ScanBounds;

/// The bounds of a scan unless the caller sets others: a Redis of a million keys is scanned in a
/// few seconds.
const BOUNDS: ScanBounds = ScanBounds {
    max_keys: 1_000_000,
    max_time: std::time::Duration::from_secs(30),
};
