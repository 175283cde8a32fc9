//! What a middleware holds that a configuration may replace while it works.

use std::{cell::RefCell, fmt, rc::Rc, sync::Arc};

use arc_swap::ArcSwap;

use super::{exempt::Exempt, matcher::Matcher, paths::Paths, route_rules::RouteRules};
use crate::{
    error::InitError,
    http::{named_limit::ConfigSnapshot, rule::Rule},
    limiter::NamedLimitTable,
};

/// Entries in order, and what they leave alone. It does not change: a request sees all of one.
#[derive(Clone, Default)]
pub(crate) struct RuleTable {
    pub(super) matcher: Matcher,
    pub(super) exempt: Exempt,
    pub(super) skip_preflight: bool,
    /// What limits by name stand for beside these entries.
    names: Option<Arc<NamedLimitTable>>,
}

impl RuleTable {
    /// Adds an entry after those that are there.
    ///
    /// # Errors
    ///
    /// As for [`Throttle::paths`](super::Throttle::paths).
    pub(crate) fn add(
        &mut self,
        paths: Paths,
        rules: impl IntoIterator<Item = Rule>,
    ) -> Result<(), InitError> {
        let entry = RouteRules::new(paths, rules, self.matcher.entries())?;
        self.matcher.push(entry);
        Ok(())
    }

    /// Adds an entry whose requests are not limited.
    ///
    /// # Errors
    ///
    /// As for [`Throttle::exempt_paths`](super::Throttle::exempt_paths).
    pub(crate) fn add_exempt(&mut self, paths: Paths) -> Result<(), InitError> {
        self.matcher.push(RouteRules::exempt(paths)?);
        Ok(())
    }

    /// Leaves alone the route with this pattern.
    pub(crate) fn exempt(&mut self, pattern: String) {
        self.exempt.push(pattern);
    }

    /// Leaves preflights alone, or not.
    #[cfg(feature = "config")]
    pub(crate) fn skip_preflight(&mut self, skip: bool) {
        self.skip_preflight = skip;
    }

    /// Says what limits by name stand for, further in too.
    #[cfg(feature = "config")]
    pub(crate) fn with_names(&mut self, names: Arc<NamedLimitTable>) {
        self.names = Some(names);
    }

    /// Compiles what the first request would have to wait for.
    pub(crate) fn prepare(&self) {
        self.matcher.prepare();
    }
}

/// One rulebook after the other, the same for all workers at once.
pub(crate) struct LiveRuleTable(ArcSwap<RuleTable>);

#[cfg(feature = "config")]
impl LiveRuleTable {
    pub(crate) fn new(first: RuleTable) -> Self {
        Self(ArcSwap::from_pointee(first))
    }

    /// What holds for all requests that come from now on.
    pub(crate) fn replace(&self, next: RuleTable) {
        next.prepare();
        self.0.store(Arc::new(next));
    }
}

/// The rulebook that a worker goes by. How many requests hold it is counted there, by an `Rc` around
/// this: workers that count together wait for each other.
pub(super) struct Loaded {
    pub(super) rulebook: Arc<RuleTable>,
    /// What is kept with requests.
    pub(super) pinned: Option<ConfigSnapshot>,
}

/// Where a worker has its rulebook from.
pub(super) struct WorkerCache {
    live: Option<Arc<LiveRuleTable>>,
    held: RefCell<Rc<Loaded>>,
}

impl WorkerCache {
    pub(super) fn new(own: &Arc<RuleTable>, live: Option<Arc<LiveRuleTable>>) -> Self {
        let first = match &live {
            Some(live) => live.0.load_full(),
            None => Arc::clone(own),
        };
        first.prepare();
        let held = RefCell::new(Loaded::new(first));
        Self { live, held }
    }

    /// What is in force.
    pub(super) fn current(&self) -> Rc<Loaded> {
        let mut held = self.held.borrow_mut();
        if let Some(live) = &self.live {
            let current = live.0.load();
            if !Arc::ptr_eq(&current, &held.rulebook) {
                *held = Loaded::new(Arc::clone(&current));
            }
        }
        Rc::clone(&held)
    }
}

impl Loaded {
    fn new(rulebook: Arc<RuleTable>) -> Rc<Self> {
        let pinned = rulebook.names.clone().map(ConfigSnapshot::new);
        Rc::new(Self { rulebook, pinned })
    }
}

impl fmt::Debug for RuleTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RuleTable")
            .field("entries", &self.matcher.entries())
            .finish_non_exhaustive()
    }
}
