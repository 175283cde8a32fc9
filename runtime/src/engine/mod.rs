//! The engine: everything that decides. It knows no HTTP: it imports nothing of this crate but
//! itself, and `.ci/lint floors` holds it to that.
//!
//! [`Engine`] is the handle. Its methods stand where their subject is: decisions in `decide`,
//! refunds in `refund`, resets and blocks in `admin`, permits in `concurrency`, waits in `waiting`.

mod admin;
pub(crate) mod backoff;
mod builder;
pub(crate) mod circuit_state;
pub(crate) mod clock;
mod concurrency;
mod decide;
pub(crate) mod error;
mod fallback;
mod handle;
#[cfg(feature = "status-page")]
mod inspect;
pub(crate) mod log_lines;
pub(crate) mod log_throttle;
mod named_limits;
mod observe;
mod refund;
mod settings;
mod shadow_stats;
pub(crate) mod store;
#[cfg(feature = "test-util")]
mod test_util;
mod waiting;

#[cfg(feature = "status-page")]
pub use self::inspect::{
    ChangeSnapshot, CircuitChange, ConfigurationSnapshot, CountSnapshot, DeniedIdentity,
    LimitSnapshot, PolicySnapshot, ReloadSnapshot, Snapshot, StoreFailure, StoreSnapshot,
};
#[cfg(feature = "status-page")]
pub(crate) use self::inspect::{IdentitySnapshot, Mask, Standing};
#[cfg(feature = "config")]
pub(crate) use self::observe::Configuration;
#[cfg(feature = "test-util")]
pub use self::test_util::ChargedForTest;
pub(crate) use self::{
    builder::{Builder, Source, StoreIdentity},
    concurrency::{Granted, MaxWait, OwnedCharge, PermitHold},
    decide::{coop_yield, validate},
    handle::Engine,
    named_limits::{CachedIndex, NamedLimitTable, NamedLimits},
    refund::Refund,
    settings::MaxWaiting,
    store::interface::{Miss, StoreError},
    waiting::{WaitOutcome, wait_for},
};
pub use self::{
    concurrency::{Permit, Semaphore, SemaphoreGuard},
    observe::{
        CallOutcome, Change, Decided, DecisionResult, Event, Observer, ReloadResult, WaitEnd,
    },
    waiting::{Acquire, Acquired, Demand},
};
