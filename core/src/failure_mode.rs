//! The failure mode: fail open, fail closed or local fallback. The limiter applies it when the
//! store returns an error, never to a denial.

use crate::text::word::Word;

/// The fate of a request that the store cannot decide.
///
/// `Builder::failure_mode` sets it for a limiter, and
/// `failure_mode = "…"` of the attribute or `Rule::failure_mode` for
/// one handler.
///
/// One `Closed` limit rejects a request to which limits of several modes apply. Otherwise the
/// limits of `Local` are decided, and those of `Open` admit the request. A shadow limit rejects
/// nothing in any mode.
///
/// Calls by hand (`RateLimiter::check` and its variants) return `RateLimitError::Unavailable` under
/// `Closed`. Under the other modes they return a [`Decision`](crate::decision::Decision) that
/// [`is_fallback`](crate::decision::Decision::is_fallback), with the limits of `Local` in it and
/// none of `Open`.
///
/// ```
/// # #[actix_web::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use actix_throttle::{FailureMode, Limit, RateLimiter};
///
/// const LOGIN: Limit = Limit::per_minute(4).name("login");
///
/// let limiter = RateLimiter::builder()
///     .redis_url("redis://127.0.0.1:1") // no server listens there
///     .failure_mode(FailureMode::Local)
///     .build()
///     .await?; // with a warning in the log
/// for expected in [true, true, true, true, false] {
///     let decision = limiter.check(&LOGIN, "user:42").await?;
///     assert!(decision.is_fallback());
///     assert_eq!(decision.is_allowed(), expected);
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FailureMode {
    /// Fail open: the request is admitted, without rate-limit headers. While Redis is down nothing
    /// is limited, so choose `Local` for limits that protect against abuse.
    #[default]
    Open,
    /// Fail closed: the response is 503 with `Retry-After`, which says when the store may be back:
    /// at least a second.
    Closed,
    /// Local fallback: the in-memory store decides under the same limits, for this process alone,
    /// with rate-limit headers as always.
    ///
    /// While the store decides, the in-memory store mirrors what this process admits by such
    /// limits, so an outage is no fresh quota. What the local fallback admits goes on counting, in
    /// this process, after the store is back. N processes together admit at most N times the limit,
    /// whichever store decides.
    Local,
}

impl FailureMode {
    /// The name that the attribute and the configuration file use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
            Self::Local => "local",
        }
    }
}

impl Word for FailureMode {
    const ALL: &'static [Self] = &[Self::Open, Self::Closed, Self::Local];

    fn as_str(self) -> &'static str {
        Self::as_str(self)
    }
}
