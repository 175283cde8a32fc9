//! Limits on requests.

mod applied;
mod asked;
mod at_sight;
mod default_zone;
mod denial;
mod error;
mod gate;
mod guard;
mod judge;
mod limited;
mod manner;
mod named;
mod not_installed;
mod overlap;
mod pending;
mod policy;
mod rule;
mod running;
mod shown;
mod throttle;
#[cfg(feature = "websocket")]
mod websocket;

#[cfg(feature = "config")]
pub(crate) use self::throttle::{LiveRulebook, Rulebook};
#[cfg(feature = "websocket")]
pub use self::websocket::WebSocketLimiter;
pub use self::{
    default_zone::DefaultZone,
    error::RequestError,
    gate::{respond, serve, typed},
    limited::Limited,
    policy::{Policy, PolicyByType},
    rule::{DynamicLimit, Rule},
    throttle::{Paths, Throttle},
};
