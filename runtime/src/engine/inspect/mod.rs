//! Inspection: what a limiter has done and how it stands, for the people who operate it. The
//! recorder observes; nothing here decides.

mod collect;
mod history;
mod log;
mod look_up;
mod mask;
mod policy_record;
mod recorder;
mod sketch;
mod snapshot;
mod standing;

pub use self::snapshot::{
    ChangeSnapshot, CircuitChange, ConfigurationSnapshot, CountSnapshot, DeniedIdentity,
    LimitSnapshot, PolicySnapshot, ReloadSnapshot, Snapshot, StoreFailure, StoreSnapshot,
};
pub(crate) use self::{
    mask::Mask,
    recorder::Recorder,
    standing::{IdentitySnapshot, LookUp, Standing},
};
