//! The pure half of `actix-throttle`: numbers, algorithms, keys, identities, decisions and their
//! replay.
//!
//! An implementation detail: depend on `actix-throttle`, which exports what is public of it.
//! Nothing here does I/O, reads a clock or awaits.

#[macro_use]
mod message;

#[allow(missing_docs, reason = "not exported by actix-throttle")]
pub mod algorithm;
#[allow(missing_docs, reason = "not exported by actix-throttle")]
pub mod calendar;
#[allow(missing_docs, reason = "not exported by actix-throttle")]
pub mod check;
#[cfg(feature = "config")]
pub mod config;
#[allow(missing_docs, reason = "not exported by actix-throttle")]
pub mod decide;
pub mod decision;
pub mod enforcement;
pub mod failure_mode;
pub mod identity;
#[allow(missing_docs, reason = "not exported by actix-throttle")]
pub mod intern;
#[allow(missing_docs, reason = "not exported by actix-throttle")]
pub mod key;
pub mod limit;
#[allow(missing_docs, reason = "not exported by actix-throttle")]
pub mod network;
pub mod replay;
#[allow(missing_docs, reason = "not exported by actix-throttle")]
pub mod rule_check;
#[cfg(feature = "config")]
#[allow(missing_docs, reason = "not exported by actix-throttle")]
pub mod rules;
pub mod status_set;
#[allow(missing_docs, reason = "not exported by actix-throttle")]
pub mod stored;
#[allow(missing_docs, reason = "not exported by actix-throttle")]
pub mod text;
#[allow(missing_docs, reason = "not exported by actix-throttle")]
pub mod time;
#[allow(missing_docs, reason = "not exported by actix-throttle")]
pub mod vocabulary;
#[allow(missing_docs, reason = "not exported by actix-throttle")]
pub mod zone;
