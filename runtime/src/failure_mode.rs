/// What becomes of a request that the store cannot decide.
///
/// Set for a limiter by [`Builder::failure_mode`](crate::Builder::failure_mode), for one handler by
/// `failure_mode = "…"` of the attribute or [`Rule::failure_mode`](crate::Rule::failure_mode).
///
/// Where limits of several modes apply to one request, one `Closed` refuses it; else those of
/// `Local` are decided, and those of `Open` are let through. A shadow limit refuses nothing in any
/// mode.
///
/// By hand ([`RateLimiter::check`](crate::RateLimiter::check) and its kin) `Closed` is
/// [`RateLimitError::Unavailable`](crate::RateLimitError::Unavailable). The others are a
/// [`Decision`](crate::Decision) that [`is_fallback`](crate::Decision::is_fallback), with the
/// limits of `Local` in it and none of `Open`.
///
#[cfg_attr(feature = "redis", doc = "```")]
#[cfg_attr(not(feature = "redis"), doc = "```ignore")]
/// # #[actix_web::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use actix_throttle::{FailureMode, Limit, RateLimiter};
///
/// const LOGIN: Limit = Limit::per_minute(4).name("login");
///
/// let limiter = RateLimiter::builder()
///     .redis_url("redis://127.0.0.1:1") // nobody listens there
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
    /// It goes on, without rate-limit headers. With the server gone nothing is limited, so choose
    /// `Local` for what protects against abuse.
    #[default]
    Open,
    /// It is answered 503 with `Retry-After`: when the store may be back, at least a second.
    Closed,
    /// The embedded store decides under the same limits, for this process alone, with rate-limit
    /// headers as always.
    ///
    /// It holds what this process has admitted by such limits while the store decided, so an outage is
    /// no fresh quota; and what it lets in itself goes on counting, in this process, after the store
    /// is back. N processes together admit at most N times what the limit admits, whoever decides.
    Local,
}
