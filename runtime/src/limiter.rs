//! [`RateLimiter`]: the handle that `main` builds and that rules, middleware and handlers call. Its
//! store counts; the limiter itself holds no counters.

mod acquire;
mod admin;
mod builder;
mod bulk;
mod enforcement;
mod find;
mod global;
mod settings;
#[cfg(feature = "test-util")]
mod test_util;
mod watch;

use std::{fmt, net::IpAddr, sync::Arc};

use actix_throttle_core::{
    check::Mode, decision::Decision, identity::Identity, limit::Limit, network::NetworkAccess,
};
use actix_web::HttpRequest;

pub use self::builder::Builder;
pub(crate) use self::{find::LimiterRef, settings::HttpSettings};
#[cfg(feature = "status-page")]
use crate::engine::Snapshot;
use crate::engine::{Engine, circuit_state::CircuitState, error::RateLimitError};

/// The handle that decides rate limits. It is cheap to clone, and clones share one store.
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
    engine: Engine,
    http: Arc<HttpSettings>,
}

impl RateLimiter {
    /// Starts to build a limiter; [`Builder::init`] or [`Builder::build`] completes it.
    pub fn builder() -> Builder {
        Builder::new()
    }

    /// Decides one limit for one identity, and charges it if there is room.
    ///
    /// If the store cannot decide, the [failure mode](crate::FailureMode) of the limiter does, and
    /// the decision [`is_fallback`](Decision::is_fallback).
    ///
    /// # Errors
    ///
    /// If the limit is invalid, or the store could not decide and the failure mode is `Closed`.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped midway, the charge may have been made.
    pub async fn check(
        &self,
        limit: &Limit,
        identity: impl Into<Identity>,
    ) -> Result<Decision, RateLimitError> {
        let identity = identity.into();
        self.engine.check(Mode::Charge, limit, &identity).await
    }

    /// Decides several limits at once: all are charged, or none.
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
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped midway, the charges may have been made.
    pub async fn check_all<I: Into<Identity> + Clone>(
        &self,
        checks: &[(&Limit, I)],
    ) -> Result<Decision, RateLimitError> {
        let limits: Vec<_> = checks
            .iter()
            .map(|(limit, identity)| (**limit, identity.clone().into()))
            .collect();
        self.engine.check_all(limits).await
    }

    /// Decides as [`check`](Self::check) would, without charging anything.
    ///
    /// # Errors
    ///
    /// If [`check`](Self::check) would return one.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future has no effect.
    pub async fn peek(
        &self,
        limit: &Limit,
        identity: impl Into<Identity>,
    ) -> Result<Decision, RateLimitError> {
        let identity = identity.into();
        self.engine.check(Mode::Peek, limit, &identity).await
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
        self.engine.circuit()
    }

    /// Returns what this limiter has done and how it stands in this process: its circuit, its
    /// policies with their counts, queues, permits, leases, and the identities that are denied
    /// most. It asks no store and charges nothing.
    ///
    /// ```
    /// # #[actix_web::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use actix_throttle::{Limit, RateLimiter};
    ///
    /// const LOGIN: Limit = Limit::per_minute(1).name("login");
    ///
    /// let limiter = RateLimiter::builder().memory().build().await?;
    /// for _ in 0..3 {
    ///     limiter.check(&LOGIN, "user:42").await?;
    /// }
    /// let login = &limiter.snapshot().policies[0];
    /// assert_eq!((login.name, login.admitted.total, login.denied.total), ("login", 1, 2));
    /// assert_eq!(login.denied_most[0].identity, "user=user%3A42");
    /// println!("{}", serde_json::to_string(&limiter.snapshot())?);
    /// # Ok(()) }
    /// ```
    #[cfg(feature = "status-page")]
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.engine.snapshot()
    }

    /// Returns whether the client's network is allowed or denied; `None`: the limits decide.
    pub(crate) fn access(&self, request: &HttpRequest) -> Option<NetworkAccess> {
        self.http.clients.access(request)
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    pub(crate) fn settings(&self) -> &HttpSettings {
        &self.http
    }
}

impl fmt::Debug for RateLimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimiter")
            .field("engine", &self.engine)
            .field("http", &self.http)
            .finish_non_exhaustive()
    }
}
