//! [`Config`]: the configuration in force.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use arc_swap::ArcSwap;
use parking_lot::Mutex;

use super::{
    error::ConfigError,
    identifiers::IdentifierRegistry,
    snapshot::ConfigSnapshot,
    source::{ConfigSource, Reading},
};
use crate::{
    engine::{LiveEnforcement, NamedLimits, ReloadResult, log_throttle::TARGET},
    http::{LiveRuleTable, Throttle},
    identity::LiveClientSettings,
    limiter::Builder,
};

/// Limits and rules from a configuration file, TOML or YAML, that is read again while the service
/// runs. It is a cheap handle: clones share one configuration.
///
/// ```toml
#[doc = include_str!("example.toml")]
/// ```
///
/// This is the same file in YAML:
///
/// ```yaml
#[doc = include_str!("example.yaml")]
/// ```
///
/// The keys are those of the attribute. A limit is a rate, or a table of `rate`, of `times` and
/// units of time, or of `times` and `every` with `time_zone`; beside them `algorithm`, `capacity`,
/// `refill`, `cost`, `name`, `zone`, `block`, `lease`, `shadow`, `refund_on`, `settle`,
/// `failure_mode`, `max_wait`, `slow_after`, `slow_by` and `slow_max`. A
/// table with `max` is a concurrency limit, as [`Rule::concurrency`](crate::Rule::concurrency) is,
/// and takes `expiry`, `name`, `zone`, `shadow`, `failure_mode` and `max_wait`. In a rule, a limit
/// may also be the name of one of `limits` (alone, or as `limit` in a table), and have `group`,
/// `unlimited` and `identifier`: `"ip"`, `"global"`, `"header:X-Api-Key"`, `"cookie:sid"`,
/// `"query:tenant"`, a name that the application has [given](super::ConfigBuilder::identifier) to a
/// function, or a list of these, which is a [combination](crate::Identifier::all). A rule's
/// `identifier` and `max_wait` apply to its limits without their own, and its `networks` are those
/// of [`Paths`](crate::Paths::networks). `enforcement`, `allow`, `deny`, `trusted_proxies` and
/// `client_ip_header` at the top are those of the [`Builder`], for limiters that
/// [use](Builder::config) this configuration. `throttle.schema.json` in the crate is the JSON
/// schema of the file, for editors.
///
/// ```
/// # #[actix_web::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = std::env::temp_dir().join(format!("throttle-doc-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder)?;
/// # let path = folder.join("throttle.toml");
/// # let rules = "rules = [{ path = '^/towns', identifier = 'by_user', limits = ['10/second'] }]";
/// # std::fs::write(&path, rules)?;
/// use actix_throttle::{Config, RateLimiter, Throttle};
/// use actix_web::{App, HttpRequest};
///
/// fn by_user(req: &HttpRequest) -> Option<(String, String)> {
///     let user = req.headers().get("X-User")?.to_str().ok()?;
///     Some((user.to_owned(), "pro".to_owned()))
/// }
///
/// let config = Config::builder().identifier("by_user", by_user).load(&path)?;
/// let limiter = RateLimiter::builder().memory().config(&config).build().await?;
/// let _watch = config.watch()?; // reloads for as long as this lives
///
/// // In the factory that `HttpServer::new` is given:
/// let app = App::new().wrap(Throttle::from_config(&config)).app_data(limiter);
/// # let _ = app;
/// # std::fs::remove_dir_all(folder)?;
/// # Ok(()) }
/// ```
///
/// # Reloading
///
/// [`reload`](Self::reload), [`watch`](Self::watch) and [`replace`](Self::replace) replace the
/// state for all workers at once. A request uses the rules and limits that were in force when it
/// came to the middleware, also in the handlers inside; what the file says about clients applies
/// from the reload on. An invalid file changes nothing.
///
/// A file that has lost all of its rules is invalid too, since a full disk or an unfinished copy
/// leaves such files behind. So is a file with neither rules nor limits, also at the start. To have
/// no rules, write `rules = []`. The log has a warning for each removal, and a line at level `info`
/// for each addition or change.
///
/// Counters are kept, for keys contain no numbers but the window: another `times` reads the same
/// counter. A limit starts a new counter if its window, algorithm or zone changes. Held permits
/// stay held whatever becomes of `max`, and a waiting request keeps the limits of its arrival.
/// Limits of a rule count under the rule's name, else its methods and regex, so a named rule keeps
/// its counters when its regex changes.
#[derive(Clone)]
pub struct Config(pub(super) Arc<ConfigInner>);

pub(super) struct ConfigInner {
    pub(super) source: ConfigSource,
    pub(super) identifiers: IdentifierRegistry,
    pub(super) named_limits: NamedLimits,
    pub(super) rule_table: Arc<LiveRuleTable>,
    pub(super) clients: LiveClientSettings,
    pub(super) enforcement: LiveEnforcement,
    pub(super) current: ArcSwap<ConfigSnapshot>,
    /// Whether the log has the warning about a middleware without rules.
    warned: AtomicBool,
    /// The latest reading of the file that was put in force or refused. Its lock is held for a
    /// replacement, so that one follows the other.
    pub(super) last_read: Mutex<Reading>,
}

impl Config {
    pub(super) fn new(
        source: ConfigSource,
        identifiers: IdentifierRegistry,
        text: &str,
    ) -> Result<Self, ConfigError> {
        let named_limits = NamedLimits::new();
        let (first, rules, settings) =
            ConfigSnapshot::new(text, None, &source, &identifiers, &named_limits)?;
        let (audience, in_force) = (named_limits.audience(), first.in_force(&source));
        audience.replaced(in_force, ReloadResult::Loaded, Vec::new());
        Ok(Self(Arc::new(ConfigInner {
            source,
            identifiers,
            named_limits,
            rule_table: Arc::new(LiveRuleTable::new(rules)),
            clients: LiveClientSettings::new(settings),
            enforcement: LiveEnforcement::new(first.spec.enforcement),
            current: ArcSwap::from_pointee(first),
            warned: AtomicBool::new(false),
            last_read: Mutex::new(Ok(text.to_owned())),
        })))
    }

    /// Warns, once, about a middleware whose file says nothing about rules. Such a file is right
    /// for named limits alone, or was cut off behind them.
    fn warn_without_rules(&self) {
        let ConfigInner {
            source,
            warned,
            current,
            ..
        } = &*self.0;
        let spec = &current.load().spec;
        let is_silent = spec.rules.is_empty() && !spec.has_rules;
        if is_silent && !warned.swap(true, Ordering::Relaxed) {
            log::warn!(
                target: TARGET,
                "{}: a `Throttle` goes by this file, which has no rules, so it limits nothing: write \
                 `rules = []` into it if that is meant",
                source.name
            );
        }
    }
}

impl Builder {
    /// Uses this configuration for limits that handlers name: `#[rate_limit(limit = "login")]`,
    /// [`Rule::named`](crate::Rule::named). For rules of a whole application, see
    /// [`Throttle::from_config`](crate::Throttle::from_config).
    ///
    /// It also uses the file's `enforcement`: the least of that one, of
    /// [`enforcement`](Self::enforcement) and of
    /// [`set_enforcement`](crate::RateLimiter::set_enforcement) is in force.
    ///
    /// It uses what the file says about clients, too, as it is when a request comes. `allow`,
    /// `deny` and `trusted_proxies` add to those of this builder, and `client_ip_header` replaces
    /// the builder's. The longest prefix of all networks around an address decides, and the file's
    /// if both have the same network.
    pub fn config(self, config: &Config) -> Self {
        self.live(
            config.0.named_limits.clone(),
            config.0.clients.clone(),
            config.0.enforcement.clone(),
        )
    }
}

impl Throttle {
    /// Makes a middleware with the rules of this configuration, as they are when a request comes. A
    /// request uses one state, also for limits that handlers inside name.
    ///
    /// Identifiers, responses, exemptions and the limiter can be set as on any `Throttle`; rules
    /// cannot be added. A file that says nothing about rules is a warning in the log.
    ///
    /// ```
    /// use actix_throttle::{Config, Throttle, config::Format};
    ///
    /// # fn main() -> Result<(), actix_throttle::ConfigError> {
    /// let rules = "rules = [{ path = '^/api', limits = ['100/minute'] }]";
    /// let config = Config::parse(rules, Format::Toml)?;
    /// let throttle = Throttle::from_config(&config).skip_preflight();
    /// # let _ = throttle;
    /// # Ok(()) }
    /// ```
    pub fn from_config(config: &Config) -> Self {
        config.warn_without_rules();
        Self::live(Arc::clone(&config.0.rule_table))
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("source", &self.0.source.name)
            .field("limits", &self.0.current.load().spec.limits)
            .finish_non_exhaustive()
    }
}
