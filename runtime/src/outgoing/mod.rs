//! Calls to others, held to the limits of whom they call. Knows no client but by its own file.

#[cfg(feature = "awc")]
mod awc;
mod call;
mod permit;
#[cfg(feature = "reqwest")]
mod reqwest;
mod retry_after;

use std::{fmt, sync::Arc, time::Duration};

#[cfg(feature = "awc")]
pub use self::awc::CallError;
pub use self::{
    call::{Request, Response},
    permit::CallPermit,
};
use crate::{
    error::RateLimitError, identity::Identity, limit::Limit, limiter::RateLimiter, permit::Demand,
    status_set::StatusSet,
};

/// A peer that says "in an hour" must not stop a service for an hour unasked.
const MOST_RETRY_AFTER: Duration = Duration::from_secs(60);

/// Holds calls to other services to the limits that these have, for all processes together.
///
/// Each call waits until there is room under all of its limits and then takes it from all at once.
/// While it waits it takes nothing, and dropped, it never has. What the call was charged is given
/// back
///
/// - if it did not reach the peer: no address, nobody who listens, not connected in time. After
///   that, an error or a timeout may hide a call that the peer has counted, so the charge stays,
///   and so it does if the call is dropped under way;
/// - if the peer answers with one of the statuses of [`refund_on`](Self::refund_on).
///
/// An answer of 429 or 503 with `Retry-After`, in seconds or as a date, stops all calls by the
/// identities of that call for so long, in every process: those to come and those that wait. The
/// answer itself goes to the caller, and nothing is sent again: that is up to the caller, or to a
/// layer such as `reqwest-retry` around this one, so that each attempt is charged.
///
/// With feature `reqwest` it is a layer of `reqwest-middleware`, with feature `awc` it has `send`.
/// For any other client there are [`acquire`](Self::acquire) and [`CallPermit`].
///
/// ```
/// # #[actix_web::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use actix_throttle::{
///     Limit, Outgoing, RateLimiter,
///     outgoing::{Request, Response},
/// };
///
/// const OVERALL: Limit = Limit::new(10, Duration::from_secs(10)).name("towns");
/// const PATH: Limit = Limit::per_second(1).name("towns-path");
///
/// let limiter = RateLimiter::builder().memory().build().await?;
/// let outgoing = Outgoing::new(&limiter)
///     .limit(OVERALL) // by the host that is called
///     .limit_by(PATH, |call| format!("{}{}", call.host(), call.path()))
///     .max_wait(Duration::from_secs(30))
///     .refund_on("5xx".parse()?);
///
/// let permit = outgoing.acquire(&Request::new("GET", "towns.example", "/list")).await?;
/// // Call, by whatever client, and tell how that went.
/// permit.completed(Response::new(502)).await;
/// assert_eq!(limiter.remaining(&OVERALL, "towns.example").await?, 10);
/// # Ok(()) }
/// ```
#[derive(Clone)]
#[must_use = "it limits the calls of the client that it is given to"]
pub struct Outgoing {
    limiter: RateLimiter,
    sources: Vec<Source>,
    max_wait: Option<Duration>,
    refund_on: Option<StatusSet>,
    max_retry_after: Duration,
}

/// What a call is charged with. A function may say that it is not.
type Source = Arc<dyn Fn(&Request<'_>) -> Vec<(Limit, Identity)> + Send + Sync>;

impl Outgoing {
    /// Without limits yet: add those of the service that is called.
    pub fn new(limiter: &RateLimiter) -> Self {
        Self {
            limiter: limiter.clone(),
            sources: Vec::new(),
            max_wait: None,
            refund_on: None,
            max_retry_after: MOST_RETRY_AFTER,
        }
    }

    /// A limit for each host that is called, as [`Request::host`] names it. Give it a name or a zone of
    /// its own, which is its counter's.
    pub fn limit(self, limit: Limit) -> Self {
        self.limit_by(limit, |call: &Request<'_>| call.host().to_owned())
    }

    /// A limit for each identity, which the function makes of the call.
    pub fn limit_by<I: Into<Identity>>(
        self,
        limit: Limit,
        identity: impl Fn(&Request<'_>) -> I + Send + Sync + 'static,
    ) -> Self {
        self.limits_by(move |call| [(limit, identity(call).into())])
    }

    /// Limits that the function chooses by the call, and who is counted under each: an `Option`, an
    /// array, a vector. Of an empty one the call is not limited by this.
    pub fn limits_by<L>(
        mut self,
        limits: impl Fn(&Request<'_>) -> L + Send + Sync + 'static,
    ) -> Self
    where
        L: IntoIterator<Item = (Limit, Identity)>,
    {
        let source = move |call: &Request<'_>| limits(call).into_iter().collect();
        self.sources.push(Arc::new(source));
        self
    }

    /// How long a call may wait for room. Default: for ever.
    pub fn max_wait(mut self, max_wait: Duration) -> Self {
        self.max_wait = Some(max_wait);
        self
    }

    /// Answers with these statuses are not counted. Default: all are.
    ///
    /// Name only what the peer does not count either.
    pub fn refund_on(mut self, statuses: StatusSet) -> Self {
        self.refund_on = Some(statuses);
        self
    }

    /// The longest that `Retry-After` may stop calls, at most 366 days. Zero: it is not looked at.
    /// Default: 60 s.
    pub fn max_retry_after(mut self, longest: Duration) -> Self {
        self.max_retry_after = longest;
        self
    }

    /// Waits until this call may be made, and charges it. A call without limits may be made at once.
    ///
    /// # Errors
    ///
    /// [`RateLimitError::TimedOut`], and nothing taken, if there is no room in time; else as for
    /// [`RateLimiter::acquire`]: an invalid limit, two with one counter, or a store that cannot
    /// decide under a failure mode of `Closed`. Under the other modes the call is made.
    pub async fn acquire(&self, call: &Request<'_>) -> Result<CallPermit, RateLimitError> {
        let charged: Vec<_> = self
            .sources
            .iter()
            .flat_map(|source| source(call))
            .collect();
        let mut permit = None;
        if !charged.is_empty() {
            let demands = charged.iter().map(|(limit, who)| Demand::of(limit, who));
            let mut acquire = self.limiter.acquire_all(demands);
            if let Some(max_wait) = self.max_wait {
                acquire = acquire.max_wait(max_wait);
            }
            permit = Some(acquire.await?);
        }
        Ok(CallPermit::new(self.clone(), charged, permit))
    }
}

impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outgoing")
            .field("max_wait", &self.max_wait)
            .field("refund_on", &self.refund_on)
            .field("max_retry_after", &self.max_retry_after)
            .finish_non_exhaustive()
    }
}
