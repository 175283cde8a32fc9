#![doc = include_str!("docs.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(feature = "document-features", doc = document_features::document_features!())]
#![cfg_attr(
    not(feature = "document-features"),
    doc = "The features are listed where all of them are turned on, as on docs.rs, and in `Cargo.toml`."
)]
#![doc = include_str!("further.md")]

mod algorithm;
mod answer;
mod circuit_state;
mod clock;
#[cfg(feature = "config")]
mod config;
mod decision;
mod error;
mod failure_mode;
#[cfg(any(doc, doctest))]
pub mod guide;
mod http;
mod identity;
mod intern;
mod key;
mod limit;
mod limiter;
mod line;
mod log_throttle;
mod message;
mod outgoing;
mod permit;
mod statuses;
mod store;

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;

#[cfg(feature = "session")]
pub use actix_session;
pub use actix_throttle_macros::{concurrency_limit, rate_limit};
#[cfg(feature = "websocket")]
pub use actix_ws;
#[cfg(feature = "awc")]
pub use awc;
#[cfg(feature = "redis")]
pub use deadpool_redis;
#[cfg(feature = "reqwest")]
pub use {reqwest, reqwest_middleware};

/// The README's snippets are tests too.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

#[cfg(feature = "test-util")]
pub use self::clock::ManualClock;
#[cfg(feature = "config")]
pub use self::config::{Changes, Config, ConfigBuilder, ConfigError, Format, Mistake, Watch};
#[cfg(feature = "websocket")]
pub use self::http::WebSocketLimiter;
#[cfg(feature = "jwt")]
pub use self::identity::{Jwt, JwtBuilder, JwtKey};
#[cfg(feature = "test-util")]
#[doc(hidden)]
pub use self::limiter::Taken;
#[cfg(feature = "awc")]
pub use self::outgoing::CallError;
#[cfg(feature = "redis")]
pub use self::store::RedisPool;
pub use self::{
    answer::{
        HeaderStyle, IntoOnLimited, IntoOnUnidentified, OnLimited, OnUnidentified, Unidentified,
    },
    circuit_state::CircuitState,
    decision::{Decision, LimitStatus},
    error::{InitError, RateLimitError},
    failure_mode::FailureMode,
    http::{DynamicLimit, Limited, Paths, RequestError, Rule, Throttle},
    identity::{
        ForwardingHeader, Identifier, Identity, IdentityKind, IntoIdentifier, IntoIdentity,
    },
    limit::{Algorithm, Concurrency, Limit, LimitError, RateError, Refill},
    limiter::{Builder, RateLimiter},
    outgoing::{Answer, Call, CallPermit, Outgoing},
    permit::{Acquire, Acquired, Demand, Permit, Semaphore, SemaphoreGuard},
    statuses::{Statuses, StatusesError},
};
