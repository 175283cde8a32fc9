//! Expands checked rules into the limited handler. Nothing here can fail: `check` has reported
//! every error.

mod concurrency;
mod consts;
mod generic;
pub(crate) mod handler;
pub(crate) mod handler_rules;
pub(crate) mod imports;
pub(crate) mod label;
mod limit;
mod returned;
mod rule;
mod spans;
