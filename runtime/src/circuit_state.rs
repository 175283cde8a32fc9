/// Whether the store is being asked.
///
/// Each limiter has one circuit in each process, which all of its workers share. See
/// [`RateLimiter::circuit`](crate::RateLimiter::circuit).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CircuitState {
    /// It is asked for every decision.
    Closed,
    /// It has failed [`failure_threshold`](crate::Builder::failure_threshold) times in a row and is
    /// left alone for a pause of at most
    /// [`recovery_timeout`](crate::Builder::recovery_timeout). The failure mode decides, without
    /// waiting.
    Open,
    /// It is being verified in the background; requests go on as if the circuit were open.
    HalfOpen,
}
