/// Whether the store is being asked.
///
/// Each limiter has one circuit in each process, which all of its workers share. See
/// [`RateLimiter::circuit`](crate::RateLimiter::circuit).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CircuitState {
    /// It is asked for every decision.
    Closed,
    /// It has failed [`failure_threshold`](crate::Builder::failure_threshold) times in a row and is
    /// not asked for [`recovery_timeout`](crate::Builder::recovery_timeout). The failure mode decides,
    /// without waiting. Once that time is over it stays so until a request comes.
    Open,
    /// One request asks it, to see whether it is back; the others go on as if open.
    HalfOpen,
}
