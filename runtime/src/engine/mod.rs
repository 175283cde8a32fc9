//! The engine: everything that decides. It knows no HTTP: it imports nothing of this crate but
//! itself, and `.ci/lint floors` holds it to that.
//!
//! [`Engine`] is the handle. Its methods stand where their subject is: decisions in `decide`,
//! refunds and settlements in `settle`, resets and blocks in `admin` and `bulk`, permits in
//! `concurrency`, waits in `waiting`.

mod admin;
pub(crate) mod backoff;
mod builder;
mod bulk;
mod charged;
pub(crate) mod circuit_state;
pub(crate) mod clock;
mod concurrency;
mod decide;
mod enforcement;
pub(crate) mod error;
mod fallback;
mod handle;
#[cfg(feature = "status-page")]
mod inspect;
pub(crate) mod log_lines;
pub(crate) mod log_throttle;
mod named_limits;
mod observe;
mod pending;
mod settings;
mod settle;
mod shadow_stats;
pub(crate) mod store;
mod switch;
#[cfg(feature = "test-util")]
mod test_util;
mod waiting;

#[cfg(feature = "status-page")]
pub use self::inspect::{
    ChangeSnapshot, CircuitChange, ConfigurationSnapshot, CountSnapshot, DeniedIdentity,
    LimitSnapshot, PolicySnapshot, ReloadSnapshot, Snapshot, StoreFailure, StoreSnapshot,
};
#[cfg(feature = "status-page")]
pub(crate) use self::inspect::{IdentitySnapshot, LookUp, Mask, Standing};
#[cfg(feature = "config")]
pub(crate) use self::observe::Configuration;
#[cfg(feature = "config")]
pub(crate) use self::switch::LiveEnforcement;
#[cfg(feature = "test-util")]
pub use self::test_util::ChargedForTest;
pub(crate) use self::{
    builder::{EngineBuilder, StoreChoice, StoreIdentity},
    charged::Charged,
    concurrency::{Granted, MaxWait, OwnedCharge, PermitHold},
    decide::{Tell, coop_yield, validate},
    handle::Engine,
    named_limits::{CachedIndex, NamedLimitTable, NamedLimits},
    pending::PendingCharges,
    store::interface::{Miss, StoreError},
    waiting::{Observed, TooManyDelayed, WaitOutcome, wait_for},
};
pub use self::{
    bulk::{BulkReset, IdentityUsage, LimitUsage, Offences, PeekIdentity, ResetReport, UsageState},
    concurrency::{Permit, Semaphore, SemaphoreGuard},
    observe::{
        CallOutcome, Change, Decided, DecisionResult, Event, Observer, ReloadResult, WaitEnd,
    },
    waiting::{Acquire, Acquired, Demand},
};
