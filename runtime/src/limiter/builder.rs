use std::{fmt, sync::Arc, time::Duration};

use actix_web::{HttpRequest, HttpResponse};

use super::{Inner, RateLimiter, Settings, global};
#[cfg(feature = "test-util")]
use crate::clock::ManualClock;
#[cfg(feature = "redis")]
use crate::store::{RedisPool, RedisStore, pool_for};
use crate::{
    answer::{HeaderStyle, OnLimited, OnUnidentified, Unidentified},
    clock::Clock,
    decision::Decision,
    error::InitError,
    identity::{ForwardingHeader, IntoIdentifier, parse_network},
    store::{MemoryStore, Stack},
};

const DEFAULT_PREFIX: &str = "throttle";
const DEFAULT_DEADLINE: Duration = Duration::from_millis(100);
/// About 120 MB of counters of constant size.
const DEFAULT_MAX_KEYS: usize = 1_000_000;

/// The settings of a [`RateLimiter`].
///
/// A store must be chosen, `memory`, `redis` or `redis_url`; everything else has a default.
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
    store: Option<Source>,
    prefix: String,
    deadline: Duration,
    max_keys: usize,
    settings: Settings,
    #[cfg(feature = "test-util")]
    clock: Option<ManualClock>,
}

enum Source {
    Memory,
    #[cfg(feature = "redis")]
    Pool(RedisPool),
    #[cfg(feature = "redis")]
    Url(String),
}

impl Builder {
    pub(super) fn new() -> Self {
        Self {
            store: None,
            prefix: DEFAULT_PREFIX.to_owned(),
            deadline: DEFAULT_DEADLINE,
            max_keys: DEFAULT_MAX_KEYS,
            settings: Settings::default(),
            #[cfg(feature = "test-util")]
            clock: None,
        }
    }

    /// Counts on the Redis or Valkey of this pool, exactly across every process that does.
    #[cfg(feature = "redis")]
    pub fn redis(mut self, pool: impl Into<RedisPool>) -> Self {
        self.store = Some(Source::Pool(pool.into()));
        self
    }

    /// Counts on the Redis or Valkey at this URL, by a pool that the limiter tunes itself:
    /// `redis://user:password@host:port/database`, `redis+unix:///path`, `valkey://…`.
    #[cfg(feature = "redis")]
    pub fn redis_url(mut self, url: impl Into<String>) -> Self {
        self.store = Some(Source::Url(url.into()));
        self
    }

    /// Counts in this process, without a server.
    pub fn memory(mut self) -> Self {
        self.store = Some(Source::Memory);
        self
    }

    /// How many keys the embedded store holds at most; a full one forgets what expires soonest.
    /// Default: 1,000,000. A key is one identity's counter, or block, for one limit.
    pub fn max_keys(mut self, max_keys: usize) -> Self {
        self.max_keys = max_keys;
        self
    }

    /// What keys on the server begin with. Default: `throttle`.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Who is counted, for limits that do not say themselves. Default: the client's address.
    pub fn identifier<M>(mut self, identifier: impl IntoIdentifier<M>) -> Self {
        self.settings.identifier = identifier.into_identifier();
        self
    }

    /// The proxies whose forwarding headers are believed: networks (`10.0.0.0/8`) or addresses.
    /// Default: none, and such headers are ignored.
    ///
    /// # Errors
    ///
    /// If one of them is neither.
    pub fn trusted_proxies<I>(mut self, proxies: I) -> Result<Self, InitError>
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        for proxy in proxies {
            let proxy = proxy.as_ref();
            let network = parse_network(proxy).ok_or_else(|| {
                InitError::settings(format!(
                    "`{proxy}` is no network or address; write `10.0.0.0/8` or `192.0.2.1`"
                ))
            })?;
            self.settings.clients.trusted.push(network);
        }
        Ok(self)
    }

    /// Which header trusted proxies write. Default: [`ForwardingHeader::Any`].
    pub fn forwarding_header(mut self, header: ForwardingHeader) -> Self {
        self.settings.clients.header = header;
        self
    }

    /// How many bits of an IPv6 address tell clients apart, 1 to 128. Default: 64, what one
    /// subscriber is usually given.
    pub fn ipv6_prefix(mut self, bits: u8) -> Self {
        self.settings.clients.ipv6_prefix = bits;
        self
    }

    /// Which headers tell clients of their limits.
    pub fn headers(mut self, style: HeaderStyle) -> Self {
        self.settings.headers = style;
        self
    }

    /// What denied requests are answered with, in place of 429 and a problem document. Rate-limit
    /// headers and `Retry-After` are added to it.
    pub fn on_limited<F>(mut self, answer: F) -> Self
    where
        F: Fn(&HttpRequest, &Decision) -> HttpResponse + Send + Sync + 'static,
    {
        self.settings.on_limited = Some(OnLimited::from_sync(answer));
        self
    }

    /// The same by an async function.
    pub fn on_limited_async<F>(mut self, answer: F) -> Self
    where
        F: AsyncFn(&HttpRequest, &Decision) -> HttpResponse + Send + Sync + 'static,
    {
        self.settings.on_limited = Some(OnLimited::from_async(answer));
        self
    }

    /// What becomes of a request whose identifier finds nobody: a function to an
    /// [`Unidentified`] or straight to a response. Default: [`Unidentified::CountByIp`].
    pub fn on_unidentified<F, R>(mut self, answer: F) -> Self
    where
        F: Fn(&HttpRequest) -> R + Send + Sync + 'static,
        R: Into<Unidentified>,
    {
        self.settings.on_unidentified = Some(OnUnidentified::new(answer));
        self
    }

    /// How long a request waits for a decision of the server at most, waiting for a connection
    /// included. Default: 100 ms. What is not decided by then goes on without a limit.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Decides by this clock instead of the store's.
    #[cfg(feature = "test-util")]
    pub fn clock(mut self, clock: ManualClock) -> Self {
        self.clock = Some(clock);
        self
    }

    /// Builds the limiter, looks at the server once, and installs it for the whole process.
    ///
    /// # Errors
    ///
    /// If a limiter is installed already, a setting cannot be right, or the server is one that
    /// waiting will not mend. A server that cannot be reached right now is a warning in the log.
    pub async fn init(self) -> Result<(), InitError> {
        // Before the look at the server, which takes a while; `install` makes sure.
        if RateLimiter::is_installed() {
            return Err(global::already_initialized());
        }
        self.build().await?.install()
    }

    /// Builds the limiter and looks at the server once, for `app_data` or use by hand.
    ///
    /// # Errors
    ///
    /// If a setting cannot be right, or the server is one that waiting will not mend.
    pub async fn build(self) -> Result<RateLimiter, InitError> {
        self.check_settings()?;
        let clock = self.chosen_clock();
        let store = match &self.store {
            Some(Source::Memory) => Stack::Memory(MemoryStore::new(self.max_keys, clock.clone())),
            #[cfg(feature = "redis")]
            Some(Source::Pool(pool)) => self.redis_store(pool.clone()).await?,
            #[cfg(feature = "redis")]
            Some(Source::Url(url)) => self.redis_store(pool_for(url)?).await?,
            None => {
                return Err(InitError::settings(
                    "no store was chosen; call `.redis(pool)`, `.redis_url(url)` or `.memory()`",
                ));
            }
        };
        Ok(RateLimiter {
            inner: Arc::new(Inner {
                store,
                clock,
                settings: self.settings,
            }),
        })
    }

    #[cfg(feature = "redis")]
    async fn redis_store(&self, pool: RedisPool) -> Result<Stack, InitError> {
        let store = RedisStore::new(pool, &self.prefix, self.deadline);
        #[cfg(feature = "test-util")]
        let store = store.with_clock(self.clock.clone());
        store.probe().await?;
        Ok(Stack::Redis(store))
    }

    fn chosen_clock(&self) -> Clock {
        #[cfg(feature = "test-util")]
        if let Some(clock) = &self.clock {
            return Clock::Manual(clock.clone());
        }
        Clock::monotonic()
    }

    fn check_settings(&self) -> Result<(), InitError> {
        let settle = |fine: bool, otherwise: &str| match fine {
            true => Ok(()),
            false => Err(InitError::settings(otherwise)),
        };
        let plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'{' | b'}');
        settle(
            !self.prefix.is_empty() && self.prefix.bytes().all(plain),
            "`prefix` must be printable ASCII without braces or spaces, and not empty",
        )?;
        settle(self.max_keys > 0, "`max_keys` must be at least 1")?;
        settle(!self.deadline.is_zero(), "`deadline` must be above zero")?;
        settle(
            (1..=128).contains(&self.settings.clients.ipv6_prefix),
            "`ipv6_prefix` must be from 1 to 128",
        )?;
        match self.settings.identifier.mistake() {
            None => Ok(()),
            Some(mistake) => Err(InitError::settings(mistake)),
        }
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("prefix", &self.prefix)
            .field("deadline", &self.deadline)
            .field("max_keys", &self.max_keys)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
