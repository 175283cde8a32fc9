//! [`Builder`]: the settings of a limiter, before `build` or `init` makes it. The engine's
//! builder does the I/O.

mod build;
mod clients;
mod duplicate;
#[cfg(feature = "config")]
mod named;
mod requests;

use std::{fmt, time::Duration};

use actix_throttle_core::failure_mode::FailureMode;

use super::HttpSettings;
#[cfg(feature = "test-util")]
use crate::engine::clock::ManualClock;
#[cfg(feature = "redis")]
use crate::engine::store::RedisPool;
use crate::engine::{EngineBuilder, Observer, StoreChoice};

/// Settings of a [`RateLimiter`](crate::RateLimiter).
///
/// Choose a store: `memory`, `redis` or `redis_url`. Every other setting has a default.
///
/// ```
/// # #[actix_web::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use actix_throttle::{HeaderStyle, Identifier, RateLimiter};
/// use actix_web::HttpResponse;
///
/// RateLimiter::builder()
///     .memory()
///     .identifier(Identifier::header("X-Api-Key"))
///     .trusted_proxies(["10.0.0.0/8"])?
///     .headers(HeaderStyle::Both)
///     .on_limited(|_req, denied| {
///         let wait = denied.retry_after().unwrap_or_default();
///         HttpResponse::TooManyRequests().body(format!("come back in {wait:?}"))
///     })
///     .on_unidentified(|_req| HttpResponse::Unauthorized().finish())
///     .init()
///     .await?;
/// # RateLimiter::close().await;
/// # Ok(()) }
/// ```
#[must_use = "a builder does nothing until `init` or `build`"]
pub struct Builder {
    engine: EngineBuilder,
    http: HttpSettings,
}

impl Builder {
    pub(super) fn new() -> Self {
        Self {
            engine: EngineBuilder::default(),
            http: HttpSettings::default(),
        }
    }

    /// Counts on the Redis or Valkey of this pool, exactly across all processes that use it: a
    /// `deadpool_redis::Pool`, or its `cluster::Pool` (feature `cluster`) or `sentinel::Pool`
    /// (feature `sentinel`).
    ///
    /// Each worker opens one connection of its own, with the pool's settings but not from the pool,
    /// and reconnects in the background.
    #[cfg(feature = "redis")]
    pub fn redis(mut self, pool: impl Into<RedisPool>) -> Self {
        self.engine.store = Some(StoreChoice::Pool(pool.into()));
        self
    }

    /// Counts on the Redis or Valkey at this URL, by a pool that the limiter tunes itself:
    ///
    /// - `redis://user:password@host:port/database`, all but the host optional, or `valkey://…`;
    /// - `rediss://…` or `valkeys://…`, the same over TLS (feature `tls`);
    /// - `redis+unix:///path?db=1&user=name&pass=word`, `valkey+unix://…` or `unix://…`.
    ///
    /// Percent-encode reserved characters in a user or password: write `%40` for `@`. Each form
    /// takes the parameter `protocol=3`; any other parameter is an error.
    ///
    /// `rediss://` installs the cryptography provider `ring` of rustls for the process, unless the
    /// application has installed one. TLS trusts the certificate authorities of the platform, or
    /// those in the file that the variable `SSL_CERT_FILE` names. To trust one for this connection
    /// alone, see [`RedisPool`].
    #[cfg(feature = "redis")]
    pub fn redis_url(mut self, url: impl Into<String>) -> Self {
        self.engine.store = Some(StoreChoice::Url(url.into()));
        self
    }

    /// Counts in this process, without Redis.
    ///
    /// Each limiter that is built counts for itself. So build one before `HttpServer::new` and give
    /// clones of it to the closure, which runs once per worker: built inside, N workers would admit
    /// N times the limit. A second limiter with equal settings is a warning in the log.
    ///
    /// ```no_run
    /// use actix_throttle::RateLimiter;
    /// use actix_web::{App, HttpServer};
    ///
    /// # #[actix_web::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let limiter = RateLimiter::builder().memory().build().await?;
    /// HttpServer::new(move || App::new().app_data(limiter.clone()))
    ///     .bind(("127.0.0.1", 8080))?
    ///     .run()
    ///     .await?;
    /// # Ok(()) }
    /// ```
    pub fn memory(mut self) -> Self {
        self.engine.store = Some(StoreChoice::Memory);
        self
    }

    /// Sets the maximum number of keys in the in-memory store. Range: from 1; default: 1,000,000. A
    /// key is one identity's counter, its block, or its held permits, for one limit. It applies to
    /// the in-memory store of the local fallback ([`FailureMode::Local`]) too.
    ///
    /// A full store evicts counters, used-up ones last, and never a held permit or a block that has
    /// not expired. The [failure mode](Self::failure_mode) decides what it has no room for.
    pub fn max_keys(mut self, max_keys: usize) -> Self {
        self.engine.max_keys = max_keys;
        self
    }

    /// Sets the prefix of all keys in Redis. Default: `throttle`.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.engine.prefix = prefix.into();
        self
    }

    /// Sets whether keys in Redis show the values of headers, cookies and query parameters as they
    /// are, so that you can read them there. Default: `false`, the values are hashed (SHA-256, cut
    /// to 128 bits).
    ///
    /// Such values are often credentials: API keys, session ids, passwords in `Authorization`. Keys
    /// appear where secrets are not protected: in `MONITOR`, in dumps and in the slow log. Set this
    /// only if none of your values is a credential. All processes of a service must have the same
    /// setting: with another, an identity has other counters.
    ///
    /// Addresses, segments of paths, users of sessions and tokens, and identities that you name
    /// yourself are readable either way, if short and plain.
    pub fn plain_keys(mut self, plain: bool) -> Self {
        self.engine.plain_keys = plain;
        self
    }

    /// Sets the fate of a request that Redis cannot decide, for handlers without a failure mode of
    /// their own. Default: [`FailureMode::Open`].
    ///
    /// The settings `failure_threshold`, `recovery_timeout` and `deadline` are for Redis alone: the
    /// in-memory store does not fail.
    ///
    /// ```
    /// # #[actix_web::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::time::Duration;
    ///
    /// use actix_throttle::{FailureMode, RateLimiter};
    ///
    /// let limiter = RateLimiter::builder()
    ///     .memory() // or Redis
    ///     .failure_mode(FailureMode::Local)
    ///     .failure_threshold(5)
    ///     .recovery_timeout(Duration::from_secs(10))
    ///     .deadline(Duration::from_millis(50))
    ///     .build()
    ///     .await?;
    /// # Ok(()) }
    /// ```
    pub fn failure_mode(mut self, mode: FailureMode) -> Self {
        self.engine.settings.failure_mode = mode;
        self
    }

    /// Sets the number of incidents in a row that open the circuit breaker: Redis is then left
    /// alone for a while, and the failure mode decides. Range: from 1; default: 3.
    ///
    /// An incident is one cause, however many requests it affects: a call without a reply within
    /// the deadline, a connection that breaks midway, a failed attempt to connect, an error reply.
    /// It counts if it is independent of the one before. Any decision, a denial too, ends the row,
    /// and the circuit opens only after three deadlines without a decision. The incidents of all
    /// workers of this process count together.
    pub fn failure_threshold(mut self, incidents: u32) -> Self {
        self.engine.failure_threshold = incidents;
        self
    }

    /// Sets the longest pause between two checks of a failing Redis. Range: from 1 ms to 366 days;
    /// default: 30 s.
    ///
    /// While the circuit is open, this process verifies Redis in the background and closes the
    /// circuit once it decides again. The first pause is 250 ms, or this setting if it is shorter.
    /// Each pause is twice the one before, less up to a half at random (exponential backoff with
    /// jitter).
    pub fn recovery_timeout(mut self, longest_pause: Duration) -> Self {
        self.engine.recovery_timeout = longest_pause;
        self
    }

    /// Sets the longest time that a request waits for a decision of Redis, including the wait for a
    /// connection. Range: above zero; default: 100 ms.
    ///
    /// After that the failure mode decides. Redis may have charged the request, so it is not asked
    /// again. A process that is late itself, because a handler blocks its worker or a CPU quota has
    /// stopped it, still takes a reply that has arrived when it checks.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.engine.deadline = deadline;
        self
    }

    /// Sets the longest time for which a denial of Redis is cached: requests that it holds for are
    /// denied without asking Redis again. Default: 1 s; zero asks each time.
    ///
    /// A denial holds until its own retry time at most, for the same limit, identity and cost, and
    /// `Retry-After` counts down. A reset, a refund, the end of a block or a changed limit ends it
    /// at once in this process, and after this time in other processes. The denial cache keeps at
    /// most 65,536 pairs of an identity and a zone, and never more than
    /// [`max_keys`](Self::max_keys).
    pub fn denial_cache(mut self, max_age: Duration) -> Self {
        self.engine.denial_cache = max_age;
        self
    }

    /// Tells this observer what the limiter does: its decisions, refunds, waits, and changes of its
    /// circuit and configuration. Called again, it adds another one; the observers hear each event
    /// in this order. Default: none, and then an event costs one branch.
    pub fn observer(mut self, observer: impl Observer) -> Self {
        self.engine.observers.push(Box::new(observer));
        self
    }

    /// Decides by this clock instead of the store's, in tests.
    #[cfg(feature = "test-util")]
    pub fn clock(mut self, clock: ManualClock) -> Self {
        self.engine.clock = Some(clock);
        self
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("prefix", &self.engine.prefix)
            .field("plain_keys", &self.engine.plain_keys)
            .field("deadline", &self.engine.deadline)
            .field("max_keys", &self.engine.max_keys)
            .field("settings", &self.engine.settings)
            .field("http", &self.http)
            .finish_non_exhaustive()
    }
}
