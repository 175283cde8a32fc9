//! [`RateLimiter`]: the handle that `main` builds and that rules, middleware and handlers call. Its
//! store counts; the limiter itself holds no counters.

mod admin;
mod builder;
mod concurrency;
mod decide;
mod fallback;
mod find;
mod global;
mod named_limits;
mod refund;
mod shadow_stats;
#[cfg(feature = "test-util")]
mod test_util;

use std::{fmt, net::IpAddr, sync::Arc, time::Duration};

use actix_throttle_core::{
    check::{Charge, Charges, Check, Mode},
    decision::Decision,
    failure_mode::FailureMode,
    identity::Identity,
    key::Key,
    limit::Limit,
};
use actix_web::HttpRequest;

pub use self::builder::Builder;
use self::shadow_stats::ShadowStats;
#[cfg(feature = "test-util")]
pub use self::test_util::ChargedForTest;
pub(crate) use self::{
    concurrency::{Granted, MaxWait, OwnedCharge, PermitHold},
    decide::coop_yield,
    find::LimiterRef,
    named_limits::{CachedIndex, NamedLimitTable, NamedLimits},
    refund::{ChargeReceipts, Refund},
};
use crate::{
    circuit_state::CircuitState,
    clock::Clock,
    error::RateLimitError,
    identity::{ClientIp, Identifier},
    response::{HeaderStyle, OnLimited, OnUnidentified},
    store::Stack,
    wait_queue::WaitQueues,
};

/// Decides rate limits. A cheap handle: clones share one store.
///
/// [`RateLimiter::builder`] makes it. [`Builder::init`] installs it for the whole process, and
/// `app_data` for a part of an application:
///
/// ```
/// # #[actix_web::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use actix_throttle::RateLimiter;
/// use actix_web::{App, web};
///
/// let limiter = RateLimiter::builder().memory().build().await?;
/// let _ = App::new()
///     .app_data(limiter.clone())
///     .service(web::scope("/other").app_data(limiter));
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct RateLimiter {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    store: Stack,
    clock: Clock,
    settings: Settings,
    shadows: ShadowStats,
    lines: WaitQueues,
}

/// Settings that all handlers of one limiter share.
#[derive(Debug, Default)]
pub(crate) struct Settings {
    pub(crate) failure_mode: FailureMode,
    pub(crate) identifier: Identifier,
    pub(crate) clients: ClientIp,
    pub(crate) headers: HeaderStyle,
    pub(crate) on_limited: Option<OnLimited>,
    pub(crate) on_unidentified: Option<OnUnidentified>,
    pub(crate) max_waiting: MaxWaiting,
    /// The limits of a configuration, which rules refer to by name.
    pub(crate) named: Option<NamedLimits>,
}

/// Maximum number of requests that wait for one counter in this process.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct MaxWaiting(pub(crate) usize);

impl Default for MaxWaiting {
    fn default() -> Self {
        Self(1_000)
    }
}

impl RateLimiter {
    /// Starts to build a limiter; [`Builder::init`] or [`Builder::build`] completes it.
    pub fn builder() -> Builder {
        Builder::new()
    }

    /// Decides one limit for one identity, and charges it if there is room.
    ///
    /// If the store cannot decide, the [`FailureMode`] of the limiter does, and the decision
    /// [`is_fallback`](Decision::is_fallback). If the future is dropped midway, the charge may have
    /// been made.
    ///
    /// # Errors
    ///
    /// If the limit is invalid, or the store could not decide and the failure mode is `Closed`.
    pub async fn check(
        &self,
        limit: &Limit,
        identity: impl Into<Identity>,
    ) -> Result<Decision, RateLimitError> {
        let identity = identity.into();
        let charges = Charges::from_buf([self.charge(limit, &identity)]);
        let mode = Mode::Charge;
        self.decide(&Check { mode, charges }).await
    }

    /// Decides several limits at once: all are charged, or none. If the future is dropped midway,
    /// the charges may have been made.
    ///
    /// ```
    /// # #[actix_web::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use actix_throttle::{Limit, RateLimiter};
    ///
    /// const LOGIN: Limit = Limit::per_minute(5).name("login");
    /// const PER_IP: Limit = Limit::per_hour(100).name("per-ip");
    ///
    /// let limiter = RateLimiter::builder().memory().build().await?;
    /// let decision = limiter
    ///     .check_all(&[(&LOGIN, "user:42"), (&PER_IP, "10.0.0.1")])
    ///     .await?;
    /// assert_eq!(decision.limits().len(), 2);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// If a limit is invalid, two of them share one counter, or the store could not decide and the
    /// failure mode is `Closed`.
    pub async fn check_all<I: Into<Identity> + Clone>(
        &self,
        checks: &[(&Limit, I)],
    ) -> Result<Decision, RateLimitError> {
        let limits: Vec<_> = checks
            .iter()
            .map(|(limit, identity)| (**limit, identity.clone().into()))
            .collect();
        let (mode, charges) = (Mode::Charge, self.charges(&limits));
        self.decide(&Check { mode, charges }).await
    }

    /// Decides as [`check`](Self::check) would, without charging anything.
    ///
    /// # Errors
    ///
    /// If [`check`](Self::check) would return one.
    pub async fn peek(
        &self,
        limit: &Limit,
        identity: impl Into<Identity>,
    ) -> Result<Decision, RateLimitError> {
        let identity = identity.into();
        let charges = Charges::from_buf([self.charge(limit, &identity)]);
        let mode = Mode::Peek;
        self.decide(&Check { mode, charges }).await
    }

    /// Returns the identity of a client at `address`, as the limiter's `ip` counts it: IPv6 by its
    /// [prefix](Builder::ipv6_prefix).
    #[must_use]
    pub fn client_identity(&self, address: IpAddr) -> Identity {
        Identity::client(Some(self.settings().clients.network_of(address)))
    }

    /// Returns the address of the client that sent a request: the peer address, or the one that
    /// [trusted proxies](Builder::trusted_proxies) report. An IPv4-mapped IPv6 address is returned
    /// as IPv4. `None` without a peer address, as on a Unix socket.
    ///
    /// It is the whole address, for logs and for lists of your own. Limits count IPv6 by its
    /// [prefix](Builder::ipv6_prefix): [`client_identity`](Self::client_identity) converts the
    /// address.
    ///
    /// ```
    /// # #[actix_web::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use actix_throttle::RateLimiter;
    /// use actix_web::test::TestRequest;
    ///
    /// let limiter = RateLimiter::builder()
    ///     .memory()
    ///     .trusted_proxies(["10.0.0.0/8"])?
    ///     .build()
    ///     .await?;
    /// let request = TestRequest::get()
    ///     .peer_addr("10.0.0.1:443".parse()?)
    ///     .insert_header(("X-Forwarded-For", "192.0.2.1"))
    ///     .to_http_request();
    /// assert_eq!(limiter.client_address(&request), Some("192.0.2.1".parse()?));
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn client_address(&self, request: &HttpRequest) -> Option<IpAddr> {
        self.settings().clients.address(request)
    }

    /// Finds the limiter for a request: the nearest `app_data`, else the process-wide limiter. A
    /// plain `RateLimiter` comes before one in a `web::Data`.
    #[must_use]
    pub fn for_request(request: &HttpRequest) -> Option<Self> {
        find::find_limiter(request).map(|limiter| limiter.clone())
    }

    /// Finds the limiter for a request, borrowed where it can be.
    pub(crate) fn nearest(request: &HttpRequest) -> Option<LimiterRef<'_>> {
        find::find_limiter(request)
    }

    /// Returns the state of the circuit breaker: whether the store is asked, or left alone after
    /// failures in a row. The in-memory store's circuit is always closed.
    ///
    /// The call is cheap enough for a health check.
    ///
    /// ```
    /// # #[actix_web::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use actix_throttle::{CircuitState, RateLimiter};
    /// use actix_web::HttpResponse;
    ///
    /// // The service works without Redis, but its operators want to know.
    /// fn health(limiter: &RateLimiter) -> HttpResponse {
    ///     match limiter.circuit() {
    ///         CircuitState::Closed => HttpResponse::Ok().body("ok"),
    ///         _ => HttpResponse::Ok().body("degraded"),
    ///     }
    /// }
    ///
    /// let limiter = RateLimiter::builder().memory().build().await?;
    /// assert_eq!(limiter.circuit(), CircuitState::Closed);
    /// assert_eq!(health(&limiter).status(), 200);
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn circuit(&self) -> CircuitState {
        self.inner.store.circuit()
    }

    fn charges<'a>(&self, limits: &'a [(Limit, Identity)]) -> Charges<'a> {
        let charges = limits.iter();
        charges
            .map(|(limit, identity)| self.charge(limit, identity))
            .collect()
    }

    fn charge<'a>(&self, limit: &'a Limit, identity: &'a Identity) -> Charge<'a> {
        Charge {
            key: Key::counter(identity, limit),
            limit: limit.into(),
            cost: limit.default_cost(),
            failure_mode: self.settings().failure_mode,
        }
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.inner.clock
    }

    /// The wait queues of this process.
    pub(crate) fn wait_queues(&self) -> &WaitQueues {
        &self.inner.lines
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    /// Returns the time since the Unix epoch, for headers that clients compare with their own
    /// clocks.
    pub(crate) fn now(&self) -> Duration {
        Duration::from_micros(self.inner.clock.wall())
    }
}

impl fmt::Debug for RateLimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimiter")
            .field("settings", &self.inner.settings)
            .finish_non_exhaustive()
    }
}
