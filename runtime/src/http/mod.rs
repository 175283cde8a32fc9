//! Limits on requests.

mod applied;
mod asked;
mod at_sight;
mod error;
mod gate;
mod guard;
mod judge;
mod manner;
mod named;
mod not_installed;
mod overlap;
mod pending;
mod rule;
mod running;
mod shown;
mod throttle;
#[cfg(feature = "websocket")]
mod websocket;

pub use self::gate::{Gate, Policy, respond, serve};
#[cfg(feature = "config")]
pub(crate) use self::throttle::{LiveRulebook, Rulebook};
#[cfg(feature = "websocket")]
pub use self::websocket::WebSocketLimiter;
pub use self::{
    error::RequestError,
    rule::Rule,
    throttle::{Paths, Throttle},
};
