//! Rules and named limits from a file.

mod builder;
mod concurrency;
mod describe;
mod diff;
mod duration;
mod error;
mod file;
mod format;
mod identifier;
mod limit;
mod limit_options;
mod rule;
#[cfg(test)]
mod schema;
mod snapshot;
mod source;
mod suggest;
mod table_reader;
mod tree;
mod watch;

use std::{
    fmt,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use arc_swap::ArcSwap;
use parking_lot::Mutex;

pub use self::{
    builder::ConfigBuilder,
    diff::Diff,
    error::{ConfigError, Diagnostic},
    format::Format,
    watch::Watch,
};
use self::{identifier::IdentifierRegistry, snapshot::Snapshot, source::Source};
use crate::{
    http::{LiveRuleTable, Throttle},
    limiter::{Builder, NamedLimits},
    log_throttle::TARGET,
};

/// Limits and rules from a file, TOML or YAML, that is read again while the service runs: a cheap
/// handle, whose clones are one configuration.
///
/// ```toml
#[doc = include_str!("example.toml")]
/// ```
///
/// The same in YAML:
///
/// ```yaml
#[doc = include_str!("example.yaml")]
/// ```
///
/// The words are those of the attribute. A limit is a rate, or a table of `rate` or `times` and
/// units of time, `algorithm`, `capacity`, `refill`, `cost`, `name`, `zone`, `block`, `lease`,
/// `shadow`, `refund_on`, `failure_mode` and `max_wait`. A table of `max` is a limit on what runs
/// at once, as [`Rule::concurrency`](crate::Rule::concurrency) is, and takes `expiry`, `name`,
/// `zone`, `shadow`, `failure_mode` and `max_wait`. In a rule a limit may also be the name of one
/// of `limits` (alone, or as `limit` in a table), and have `group`, `unlimited` and `identifier`:
/// `"ip"`, `"global"`, `"header:X-Api-Key"`, `"cookie:sid"`, `"query:tenant"`, or a name that the
/// application has [given](ConfigBuilder::identifier) to a function. A rule's `identifier` and
/// `max_wait` are for its limits that do not say. `throttle.schema.json` in the crate is the JSON
/// schema of the file, for editors.
///
/// ```
/// # #[actix_web::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = std::env::temp_dir().join(format!("throttle-doc-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder)?;
/// # let path = folder.join("throttle.toml");
/// # std::fs::write(&path, "rules = [{ path = '^/towns', identifier = 'by_user', limits = ['10/second'] }]")?;
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
/// [`reload`](Self::reload), [`watch`](Self::watch) and [`replace`](Self::replace) put one state in
/// the place of another for all workers at once. A request goes by the state that was in force when
/// it came to the middleware, handlers inside included. A file with a mistake changes nothing.
///
/// A file that has lost all of its rules counts as a mistake too, since a full disk or a copy that
/// is under way leaves such files behind. So does a file with neither rules nor limits, also at the
/// start. To have no rules, write `rules = []`. What a reload removes is in the log as a warning,
/// line by line; what it adds or changes, at level `info`.
///
/// Counters are kept, for keys hold no numbers but the window: another `times` reads the same
/// state. A limit's counter begins anew if its window, algorithm or zone changes. What runs keeps
/// its place whatever becomes of `max`, and who waits goes by what was in force when they came.
/// Limits of a rule count under the rule's name, else its methods and regex, so a named rule keeps
/// its counters when its regex changes.
#[derive(Clone)]
pub struct Config(Arc<Shared>);

struct Shared {
    source: Source,
    known: IdentifierRegistry,
    /// What limiters ask for limits by name.
    named: NamedLimits,
    /// What middleware goes by.
    rulebook: Arc<LiveRuleTable>,
    current: ArcSwap<Snapshot>,
    /// Whether the log has the warning about a middleware without rules.
    warned: AtomicBool,
    /// Held by whoever replaces what is current.
    replacing: Mutex<()>,
}

impl Config {
    /// Reads a file; its name ends in `.toml`, `.yaml` or `.yml`.
    ///
    /// Meant for the start of the program: it waits for the file system.
    ///
    /// # Errors
    ///
    /// If the file cannot be read; or all that is wrong with it, each with line, column and reason.
    /// A file with neither rules nor limits is wrong unless it says `rules = []`.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, ConfigError> {
        Self::builder().load(path)
    }

    /// Reads a text, as if it came from a file.
    ///
    /// # Errors
    ///
    /// All that is wrong with it.
    pub fn parse(text: &str, format: Format) -> Result<Self, ConfigError> {
        Self::builder().parse(text, format)
    }

    /// For a file that names identifiers of the application.
    pub fn builder() -> ConfigBuilder {
        ConfigBuilder::default()
    }

    /// Reads the file again, for all workers at once, and says what has changed. Counters are kept.
    ///
    /// A file with a mistake changes nothing. Both outcomes are in the log. It waits for the file
    /// system: in a handler, call it by `web::block`.
    ///
    /// # Errors
    ///
    /// As for [`load`](Self::load); if all rules are gone and the file does not say `rules = []`;
    /// and if a limit is gone that handlers have used by its name, without one of their own to fall
    /// back to.
    pub fn reload(&self) -> Result<Diff, ConfigError> {
        match self.0.source.read() {
            Ok(text) => self.replace(&text),
            Err(error) => self.refuse(error),
        }
    }

    /// What [`reload`](Self::reload) does, with a text that comes from elsewhere, in the format of
    /// the first.
    ///
    /// # Errors
    ///
    /// As for [`reload`](Self::reload).
    pub fn replace(&self, text: &str) -> Result<Diff, ConfigError> {
        let Shared {
            source,
            known,
            named,
            rulebook,
            current,
            replacing,
            ..
        } = &*self.0;
        let _replacing = replacing.lock();
        let old = current.load();
        let (next, rules) = match Snapshot::new(text, Some(&old.file), source, known, named) {
            Ok(next) => next,
            Err(error) => return self.refuse(error),
        };
        let changes = Diff::between(&old.file, &next.file);
        rulebook.replace(rules);
        current.store(Arc::new(next));
        for (level, line) in changes.levels() {
            log::log!(target: TARGET, level, "{}: {line}", source.name);
        }
        if changes.is_empty() {
            log::info!(target: TARGET, "{}: nothing has changed", source.name);
        }
        Ok(changes)
    }

    /// Reloads whenever the file changes or, on Unix, the process gets SIGHUP, until what this
    /// returns is dropped.
    ///
    /// # Errors
    ///
    /// If this came from a text and no file, or the system refuses a thread or the signal.
    pub fn watch(&self) -> Result<Watch, ConfigError> {
        Watch::start(self)
    }

    fn new(source: Source, known: IdentifierRegistry, text: &str) -> Result<Self, ConfigError> {
        let named = NamedLimits::new();
        let (first, rules) = Snapshot::new(text, None, &source, &known, &named)?;
        Ok(Self(Arc::new(Shared {
            source,
            known,
            named,
            rulebook: Arc::new(LiveRuleTable::new(rules)),
            current: ArcSwap::from_pointee(first),
            warned: AtomicBool::new(false),
            replacing: Mutex::new(()),
        })))
    }

    /// Warns, once, that a middleware goes by a file that says nothing about rules. Such a file is
    /// right for limits by name alone, and may be one that was cut off behind them.
    fn warn_without_rules(&self) {
        let Shared {
            source,
            warned,
            current,
            ..
        } = &*self.0;
        let file = &current.load().file;
        let is_silent = file.rules.is_empty() && !file.says_rules;
        if is_silent && !warned.swap(true, Ordering::Relaxed) {
            log::warn!(
                target: TARGET,
                "{}: a `Throttle` goes by this file, which has no rules, so it limits nothing: write \
                 `rules = []` into it if that is meant",
                source.name
            );
        }
    }

    /// Says in the log that nothing has changed, and why.
    fn refuse<T>(&self, error: ConfigError) -> Result<T, ConfigError> {
        log::error!(target: TARGET, "the configuration stays as it was:\n{error}");
        Err(error)
    }
}

impl Builder {
    /// Takes limits that handlers name from this configuration: `#[rate_limit(limit = "login")]`,
    /// [`Rule::named`](crate::Rule::named). Rules for a whole application are for
    /// [`Throttle::from_config`](crate::Throttle::from_config).
    pub fn config(self, config: &Config) -> Self {
        self.named_limits(config.0.named.clone())
    }
}

impl Throttle {
    /// The middleware that goes by the rules of this configuration, as they are when a request
    /// comes: all of one state, and what handlers inside name is of the same state.
    ///
    /// Who is counted, what is answered, what is skipped and which limiter decides can be set as
    /// ever; entries cannot be added. A file that says nothing about rules is a warning in the log.
    ///
    /// ```
    /// use actix_throttle::{Config, Throttle, config::Format};
    ///
    /// # fn main() -> Result<(), actix_throttle::ConfigError> {
    /// let config = Config::parse("rules = [{ path = '^/api', limits = ['100/minute'] }]", Format::Toml)?;
    /// let throttle = Throttle::from_config(&config).skip_preflight();
    /// # let _ = throttle;
    /// # Ok(()) }
    /// ```
    pub fn from_config(config: &Config) -> Self {
        config.warn_without_rules();
        Self::live(Arc::clone(&config.0.rulebook))
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("source", &self.0.source.name)
            .field("limits", &self.0.current.load().file.limits)
            .finish_non_exhaustive()
    }
}
