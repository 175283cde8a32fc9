//! The engine: everything that decides. It knows no HTTP: it imports nothing of this crate but
//! itself, and `.ci/lint floors` holds it to that.

pub(crate) mod circuit_state;
pub(crate) mod clock;
pub(crate) mod error;
pub(crate) mod log_throttle;
pub(crate) mod store;
pub(crate) mod waiting;
