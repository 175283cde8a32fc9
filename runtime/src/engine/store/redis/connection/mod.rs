//! The connections of each worker: where they lead, how they are made, watched and made again.

#[expect(clippy::module_inception, reason = "it defines `Connection`")]
pub(super) mod connection;
pub(super) mod endpoint;
pub(super) mod error_text;
pub(super) mod guard;
#[cfg(feature = "cluster")]
pub(super) mod owners;
#[cfg(feature = "cluster")]
pub(super) mod pace;
pub(super) mod reconnect;
pub(super) mod state;
#[cfg(feature = "tls")]
mod tls;
pub(super) mod topology;
pub(super) mod url;
mod verify;
pub(super) mod worker;
