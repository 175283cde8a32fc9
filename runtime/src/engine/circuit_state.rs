//! The public view of the circuit breaker. The store's layers set the state; reading it changes
//! nothing.

/// The state of a limiter's circuit breaker: whether the store is asked for decisions.
///
/// Each limiter has one circuit in each process, shared by all of its workers. See
/// [`RateLimiter::circuit`](crate::RateLimiter::circuit).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CircuitState {
    /// The store is asked for every decision.
    Closed,
    /// The store is not asked, after [`failure_threshold`](crate::Builder::failure_threshold)
    /// incidents in a row, for a pause of at most
    /// [`recovery_timeout`](crate::Builder::recovery_timeout). The failure mode decides, without
    /// waiting.
    Open,
    /// The store is being verified in the background. Requests are decided as if the circuit were
    /// open.
    HalfOpen,
}
