//! Expands a checked policy into the limited handler. Nothing here can fail: `check` has reported
//! every error.

mod concurrency;
mod consts;
mod generic;
pub(crate) mod handler;
pub(crate) mod imports;
pub(crate) mod label;
mod limit;
pub(crate) mod policy;
mod returned;
mod rule;
mod spans;
