//! The failure mode: fail open, fail closed or local fallback. The limiter applies it when the
//! store returns an error, never to a denial.

/// What happens to a request that the store cannot decide.
///
/// [`Builder::failure_mode`](crate::Builder::failure_mode) sets it for a limiter, and
/// `failure_mode = "…"` of the attribute or [`Rule::failure_mode`](crate::Rule::failure_mode) for
/// one handler.
///
/// Where limits of several modes apply to one request, one `Closed` limit rejects it. Otherwise the
/// limits of `Local` are decided, and those of `Open` admit it. A shadow limit rejects nothing in
/// any mode.
///
/// Calls by hand ([`RateLimiter::check`](crate::RateLimiter::check) and its variants) return
/// [`RateLimitError::Unavailable`](crate::RateLimitError::Unavailable) under `Closed`. Under the
/// other modes they return a [`Decision`](crate::Decision) that
/// [`is_fallback`](crate::Decision::is_fallback), with the limits of `Local` in it and none of
/// `Open`.
///
#[cfg_attr(feature = "redis", doc = "```")]
#[cfg_attr(not(feature = "redis"), doc = "```ignore")]
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
