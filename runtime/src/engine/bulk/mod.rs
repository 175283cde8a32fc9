//! Operations on many keys at once, by hand: resets of a limit, a zone or everything, and a look at
//! all limits of an identity. They are bounded in keys and in time, no request calls them, and
//! nothing is charged. The failure mode does not apply.

mod bounds;
mod offences;
mod peek;
mod reset;
mod usage;

pub use self::{
    offences::Offences,
    peek::PeekIdentity,
    reset::{BulkReset, ResetReport},
    usage::{IdentityUsage, LimitUsage, UsageState},
};
