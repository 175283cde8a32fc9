//! Limits on requests.

mod body;
mod context;
mod decisions;
mod default_zone;
mod denial;
mod double_charge;
mod error;
mod evaluate;
mod fast_path;
mod guard;
mod handler;
mod in_flight;
mod limited;
mod matching;
mod named_limit;
mod resolve;
mod respond;
mod rule;
mod rule_list;
mod throttle;
#[cfg(feature = "websocket")]
mod websocket;

#[cfg(feature = "config")]
pub(crate) use self::throttle::{LiveRuleTable, RuleTable};
#[cfg(feature = "websocket")]
pub use self::websocket::WebSocketLimiter;
pub use self::{
    default_zone::DefaultZone,
    error::RequestError,
    handler::{respond, serve, typed},
    limited::Limited,
    rule::{DynamicLimit, Rule},
    rule_list::{Policy, PolicyByType},
    throttle::{Paths, Throttle},
};
