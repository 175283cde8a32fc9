//! Outbound calls, held to the limits of the upstream services that they go to. An HTTP client
//! calls it by a file of its own; the rest knows no client and sends nothing.

#[cfg(feature = "awc")]
mod awc;
mod call;
mod pause;
mod permit;
#[cfg(feature = "reqwest")]
mod reqwest;
mod retry_after;

use std::{fmt, sync::Arc, time::Duration};

use actix_throttle_core::{
    identity::Identity,
    limit::Limit,
    status_set::{StatusSet, StatusSetError},
};

#[cfg(feature = "awc")]
pub use self::awc::CallError;
use self::pause::{PAUSE, Pauses};
pub use self::{
    call::{Request, Response},
    permit::CallPermit,
};
use crate::{
    engine::{Demand, error::RateLimitError},
    limiter::RateLimiter,
};

/// The longest pause by default: a service that says "in an hour" must not stop its callers for an
/// hour unless they allow it.
const MOST_RETRY_AFTER: Duration = Duration::from_secs(60);

/// An `Outgoing` keeps outbound calls within the limits of upstream services, across all processes.
///
/// Each call waits until there is room under all of its limits, and then charges all at once. A
/// call that waits has charged nothing, and leaves no trace if it is dropped. A charge is refunded
///
/// - if the call did not reach the upstream service: no address, no server that listens, not
///   connected in time. After that, an error or a timeout may hide a call that the service has
///   counted, so the charge stays, and so it does if the call is dropped midway. A client that
///   follows redirects does not say which of its connections failed;
/// - if the response has one of the statuses of [`refund_on`](Self::refund_on).
///
/// A response of 429 or 503 with `Retry-After`, in seconds or as a date, pauses all calls by the
/// identities of that call for that long, in every process: those to come and those that wait.
/// [`pause_on`](Self::pause_on) names other statuses, and [`pause_per_host`](Self::pause_per_host)
/// pauses the host in place of the identities. The response itself goes to the caller, and nothing
/// is retried: that is up to the caller, or to a layer such as `reqwest-retry` around this one, so
/// that each attempt is charged.
///
/// It is a middleware of `reqwest-middleware` with the feature `reqwest`, and has `send` with the
/// feature `awc`. For any other client there are [`acquire`](Self::acquire) and [`CallPermit`].
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
/// // Make the call, by any client, and report its outcome.
/// permit.completed(Response::new(502)).await;
/// assert_eq!(limiter.remaining(&OVERALL, "towns.example").await?, 10);
/// # Ok(()) }
/// ```
#[derive(Clone)]
#[must_use = "it limits the calls of the client that it is given to"]
pub struct Outgoing {
    limiter: RateLimiter,
    limits: Vec<LimitsFn>,
    max_wait: Option<Duration>,
    refund_on: Option<StatusSet>,
    max_retry_after: Duration,
    pauses: Pauses,
}

/// A function that returns what a call is charged with: nothing if it does not limit the call.
type LimitsFn = Arc<dyn Fn(&Request<'_>) -> Vec<(Limit, Identity)> + Send + Sync>;

impl Outgoing {
    /// Makes an `Outgoing` without limits: add those of the upstream service.
    pub fn new(limiter: &RateLimiter) -> Self {
        Self {
            limiter: limiter.clone(),
            limits: Vec::new(),
            max_wait: None,
            refund_on: None,
            max_retry_after: MOST_RETRY_AFTER,
            pauses: Pauses::default(),
        }
    }

    /// Adds a limit for each host, as [`Request::host`] names it. Give the limit a name or a zone
    /// of its own: its counter goes by that.
    pub fn limit(self, limit: Limit) -> Self {
        self.limit_by(limit, |call: &Request<'_>| call.host().to_owned())
    }

    /// Adds a limit for each identity, which the function makes of the call.
    pub fn limit_by<I: Into<Identity>>(
        self,
        limit: Limit,
        identity: impl Fn(&Request<'_>) -> I + Send + Sync + 'static,
    ) -> Self {
        self.limits_by(move |call| [(limit, identity(call).into())])
    }

    /// Adds limits that the function chooses by the call, each with its identity: an `Option`, an
    /// array, a vector. If it is empty, the function does not limit the call.
    pub fn limits_by<L>(
        mut self,
        limits: impl Fn(&Request<'_>) -> L + Send + Sync + 'static,
    ) -> Self
    where
        L: IntoIterator<Item = (Limit, Identity)>,
    {
        let limits = move |call: &Request<'_>| limits(call).into_iter().collect();
        self.limits.push(Arc::new(limits));
        self
    }

    /// Sets the longest time that a call waits for room. Default: without end.
    pub fn max_wait(mut self, max_wait: Duration) -> Self {
        self.max_wait = Some(max_wait);
        self
    }

    /// Refunds calls whose response has one of these statuses. Default: none.
    ///
    /// Name only statuses that the upstream service does not count either.
    pub fn refund_on(mut self, statuses: StatusSet) -> Self {
        self.refund_on = Some(statuses);
        self
    }

    /// Sets the statuses of responses that may pause calls: single ones, classes (`5xx`) and
    /// ranges, separated by commas, as for [`StatusSet`]. Default: `"429, 503"`.
    ///
    /// Such a response pauses calls if it has `Retry-After`; and, once statuses are set here, also
    /// if it has `X-RateLimit-Remaining: 0` and `X-RateLimit-Reset`, until that time. GitHub
    /// answers like this, by 403 or 429, up to an hour before: raise
    /// [`max_retry_after`](Self::max_retry_after), too.
    ///
    /// ```
    /// # #[actix_web::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::time::Duration;
    /// use actix_throttle::{
    ///     Limit, Outgoing, RateLimitError, RateLimiter,
    ///     outgoing::{Request, Response},
    /// };
    ///
    /// const GITHUB: Limit = Limit::per_hour(5_000).name("github");
    ///
    /// let limiter = RateLimiter::builder().memory().build().await?;
    /// let outgoing = Outgoing::new(&limiter)
    ///     .limit(GITHUB)
    ///     .pause_on("403, 429, 503")
    ///     .max_retry_after(Duration::from_secs(3600))
    ///     .max_wait(Duration::from_secs(1));
    /// outgoing.validate()?;
    ///
    /// let call = Request::new("GET", "api.github.com", "/user");
    /// let answer = Response::new(403);
    /// let answer = answer.rate_limit_remaining(Some("0")).rate_limit_reset(Some("60"));
    /// outgoing.acquire(&call).await?.completed(answer).await;
    /// let paused = outgoing.acquire(&call).await;
    /// assert!(matches!(paused, Err(RateLimitError::TimedOut { .. })));
    /// # Ok(()) }
    /// ```
    ///
    /// A text that names no statuses is an error of [`validate`](Self::validate), and of each call.
    pub fn pause_on(mut self, statuses: &str) -> Self {
        self.pauses.set(statuses);
        self
    }

    /// Pauses the host of a call, as [`Request::host`] names it, in place of the identities of the
    /// call. Then a host that asks for a pause does not stop calls to other hosts under the same
    /// limit, such as one over everything that the service sends; and it stops all of its own
    /// calls, whatever identity they count for, also those of other `Outgoing`s with this setting.
    /// Default: off.
    pub fn pause_per_host(mut self) -> Self {
        self.pauses.per_host = true;
        self
    }

    /// Checks the texts that were given. Call it once where the `Outgoing` is made, so that an
    /// error is known before the first call.
    ///
    /// # Errors
    ///
    /// If the text of [`pause_on`](Self::pause_on) names no statuses.
    pub fn validate(&self) -> Result<(), StatusSetError> {
        self.pauses.validate()
    }

    /// Sets the longest time for which a response pauses calls, at most 366 days. Zero turns pauses
    /// off. Default: 60 s.
    pub fn max_retry_after(mut self, longest: Duration) -> Self {
        self.max_retry_after = longest;
        self
    }

    /// Waits until this call may be made, and charges it. A call without limits may be made at
    /// once.
    ///
    /// # Errors
    ///
    /// [`RateLimitError::InvalidStatuses`] as for [`validate`](Self::validate).
    /// [`RateLimitError::TimedOut`], with nothing charged, if there is no room in time; else as for
    /// [`RateLimiter::acquire`]: an invalid limit, two limits with one counter, or a store that
    /// cannot decide under the failure mode `Closed`. Under the other modes the call is made.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future while it waits charges nothing.
    pub async fn acquire(&self, call: &Request<'_>) -> Result<CallPermit, RateLimitError> {
        let charged: Vec<_> = self.limits.iter().flat_map(|limits| limits(call)).collect();
        self.pauses.validate()?;
        let host = self.pauses.identity_of(call.host());
        let mut permit = None;
        if !charged.is_empty() || host.is_some() {
            let demands = charged.iter().map(|(limit, who)| Demand::of(limit, who));
            let demands = demands.chain(
                host.iter()
                    .map(|host| Demand::Unblocked(PAUSE, host.clone())),
            );
            let mut acquire = self.limiter.acquire_all(demands);
            if let Some(max_wait) = self.max_wait {
                acquire = acquire.max_wait(max_wait);
            }
            permit = Some(acquire.await?);
        }
        Ok(CallPermit::new(self.clone(), charged, host, permit))
    }
}

impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outgoing")
            .field("max_wait", &self.max_wait)
            .field("refund_on", &self.refund_on)
            .field("max_retry_after", &self.max_retry_after)
            .field("pauses", &self.pauses)
            .finish_non_exhaustive()
    }
}
