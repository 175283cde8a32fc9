//! The Actix side of the crate: it finds the rules that apply to a request, has the limiter decide
//! them, and writes the outcome to the response.
//!
//! Generated handlers, the `Throttle` middleware, `WebSocketLimiter` and
//! `RateLimiter::check_request` all come through `guard.rs`. Nothing in this module counts: the
//! limiter and its store do.

mod admission;
mod arguments;
mod body;
mod context;
mod dated_decision;
mod decisions;
mod default_zone;
mod denial;
mod double_charge;
mod enforce;
mod error;
mod evaluate;
mod evaluation;
mod fast_path;
mod guard;
mod handler;
mod handler_rules;
mod in_flight;
mod limited;
mod matching;
mod named_limit;
mod pending_charge;
mod rate_limits;
mod requested_limit;
mod resolve;
mod respond;
mod rule;
mod same_policy;
mod shared_response;
mod slow_down;
mod status_list;
#[cfg(feature = "status-page")]
mod status_route;
mod throttle;
#[cfg(feature = "websocket")]
mod websocket;

#[cfg(feature = "status-page")]
pub(crate) use self::status_route::STATUS_PAGE;
#[cfg(feature = "config")]
pub(crate) use self::throttle::{LiveRuleTable, RuleTable};
#[cfg(feature = "websocket")]
pub use self::websocket::WebSocketLimiter;
pub use self::{
    default_zone::DefaultZone,
    error::RequestError,
    handler::{respond, run_limited, typed},
    handler_rules::{HandlerRules, HandlerRulesByType},
    limited::Limited,
    pending_charge::PendingCharge,
    rate_limits::RateLimits,
    rule::{DynamicLimit, Rule},
    throttle::{Paths, Throttle},
};
