//! Observation: what a limiter does, told as events. The engine and its store report to it, and the
//! application's observers listen. It decides nothing.

#[cfg(feature = "config")]
mod audience;
mod decided;
mod event;
mod observer;
mod report;
mod result;
#[cfg(any(feature = "config", feature = "redis"))]
mod teller;
mod trace;

#[cfg(feature = "config")]
pub(crate) use self::audience::{Audience, Configuration};
#[cfg(feature = "redis")]
pub(crate) use self::teller::Teller;
#[cfg(feature = "redis")]
pub(crate) use self::trace::{record_batch_size, record_outcome, store_span};
pub use self::{
    decided::Decided,
    event::{CallOutcome, Change, Event, ReloadResult, WaitEnd},
    observer::Observer,
    result::DecisionResult,
};
pub(crate) use self::{observer::Observers, report::report};
