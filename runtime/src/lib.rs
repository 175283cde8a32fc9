#![doc = include_str!("docs.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(feature = "document-features", doc = document_features::document_features!())]
#![cfg_attr(
    not(feature = "document-features"),
    doc = "The features are listed where all of them are turned on, as on docs.rs, and in `Cargo.toml`."
)]
#![doc = include_str!("further.md")]

#[cfg(feature = "config")]
pub mod config;
mod engine;
#[cfg(any(doc, doctest))]
pub mod guide;
mod http;
mod identity;
mod limiter;
#[cfg(feature = "metrics")]
mod metrics;
#[cfg(feature = "utoipa")]
pub mod openapi;
pub mod outgoing;
mod response;
#[cfg(feature = "status-page")]
pub mod status;
mod user_fn;

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

#[cfg(feature = "config")]
pub use self::config::{Config, ConfigError};
#[cfg(feature = "test-util")]
#[doc(hidden)]
pub use self::engine::ChargedForTest;
#[cfg(feature = "test-util")]
pub use self::engine::clock::ManualClock;
#[cfg(feature = "redis")]
pub use self::engine::store::RedisPool;
#[cfg(feature = "websocket")]
pub use self::http::WebSocketLimiter;
#[cfg(feature = "jwt")]
pub use self::identity::{Jwt, JwtBuilder, JwtKey};
#[cfg(feature = "metrics")]
pub use self::metrics::Metrics;
#[cfg(feature = "utoipa")]
pub use self::openapi::RateLimited;
#[cfg(feature = "awc")]
pub use self::outgoing::CallError;
#[cfg(feature = "status-page")]
pub use self::status::{Access, StatusPage};
pub use self::{
    engine::{
        Acquire, Acquired, BulkReset, CallOutcome, Change, Decided, DecisionResult, Demand, Event,
        IdentityUsage, LimitUsage, Observer, Offences, PeekIdentity, Permit, ReloadResult,
        ResetReport, Semaphore, SemaphoreGuard, UsageState, WaitEnd,
        circuit_state::CircuitState,
        error::{InitError, RateLimitError},
    },
    http::{DynamicLimit, Limited, Paths, PendingCharge, RateLimits, RequestError, Rule, Throttle},
    identity::{ForwardingHeader, Identifier, IntoIdentifier, IntoIdentity},
    limiter::{Builder, RateLimiter},
    outgoing::{CallPermit, Outgoing},
    response::{
        HeaderStyle, IntoOnLimited, IntoOnUnidentified, OnLimited, OnUnidentified, Unidentified,
    },
};
pub use actix_throttle_core::{
    calendar::Period,
    decision::{Decision, DecisionSource, LimitStatus},
    enforcement::Enforcement,
    failure_mode::FailureMode,
    identity::{Identity, IdentityKind},
    limit::{Algorithm, Concurrency, Limit, LimitError, RateError, Refill},
    status_set::{StatusSet, StatusSetError},
};
