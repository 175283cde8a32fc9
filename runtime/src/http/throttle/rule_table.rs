//! The rule table of a middleware, which a configuration may replace while requests are served.

use std::{cell::RefCell, fmt, rc::Rc, sync::Arc};

use arc_swap::ArcSwap;

use super::{exempt::Exempt, matcher::Matcher, paths::Paths, route_rules::RouteRules};
use crate::{
    engine::{NamedLimitTable, error::InitError},
    http::{named_limit::NamedLimitsSnapshot, rule::Rule},
};

/// The entries in order, and the exemptions.
///
/// # Invariant
///
/// A table that requests use does not change, so a request sees one state of all entries.
#[derive(Clone, Default)]
pub(crate) struct RuleTable {
    pub(super) matcher: Matcher,
    pub(super) exempt: Exempt,
    pub(super) skip_preflight: bool,
    /// The named limits of the same configuration.
    names: Option<Arc<NamedLimitTable>>,
}

impl RuleTable {
    /// Adds an entry after the existing ones.
    ///
    /// # Errors
    ///
    /// If the rules or the name are invalid: see [`Throttle::paths`](super::Throttle::paths).
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
    /// If the entry is a shadow: see [`Throttle::exempt_paths`](super::Throttle::exempt_paths).
    pub(crate) fn add_exempt(&mut self, paths: Paths) -> Result<(), InitError> {
        self.matcher.push(RouteRules::exempt(paths)?);
        Ok(())
    }

    /// Exempts the route with this pattern.
    pub(crate) fn exempt(&mut self, pattern: String) {
        self.exempt.push(pattern);
    }

    /// Sets whether CORS preflights are exempt.
    #[cfg(feature = "config")]
    pub(crate) fn skip_preflight(&mut self, skip: bool) {
        self.skip_preflight = skip;
    }

    /// Adds the named limits, which handlers further in use as well.
    #[cfg(feature = "config")]
    pub(crate) fn with_names(&mut self, names: Arc<NamedLimitTable>) {
        self.names = Some(names);
    }

    /// Returns the policies of all entries.
    pub(crate) fn policies(&self) -> impl Iterator<Item = &'static str> {
        let rules = self.matcher.entries().iter().flat_map(RouteRules::rules);
        rules.filter_map(Rule::policy)
    }

    /// Compiles the regexes, so that the first request need not wait for it.
    pub(crate) fn prepare(&self) {
        self.matcher.prepare();
    }
}

/// The current rule table of a configuration. All workers read it, so a reload reaches them at
/// once.
pub(crate) struct LiveRuleTable(ArcSwap<RuleTable>);

#[cfg(feature = "config")]
impl LiveRuleTable {
    pub(crate) fn new(first: RuleTable) -> Self {
        Self(ArcSwap::from_pointee(first))
    }

    /// Replaces the table for all requests that come from now on. Requests in flight keep theirs.
    pub(crate) fn replace(&self, next: RuleTable) {
        next.prepare();
        self.0.store(Arc::new(next));
    }
}

/// The rule table that a worker has loaded. Requests are counted by an `Rc` around this and not by
/// the `Arc` inside: an atomic count shared by all workers would be a contended cache line.
pub(super) struct Loaded {
    pub(super) rule_table: Arc<RuleTable>,
    /// The snapshot of named limits that requests keep.
    pub(super) snapshot: Option<NamedLimitsSnapshot>,
}

/// A worker's cache of the current rule table.
pub(super) struct WorkerCache {
    live: Option<Arc<LiveRuleTable>>,
    loaded: RefCell<Rc<Loaded>>,
}

impl WorkerCache {
    pub(super) fn new(own: &Arc<RuleTable>, live: Option<Arc<LiveRuleTable>>) -> Self {
        let first = match &live {
            Some(live) => live.0.load_full(),
            None => Arc::clone(own),
        };
        first.prepare();
        let loaded = RefCell::new(Loaded::new(first));
        Self { live, loaded }
    }

    /// Returns the current table, loading it if it was replaced.
    pub(super) fn current(&self) -> Rc<Loaded> {
        let mut loaded = self.loaded.borrow_mut();
        if let Some(live) = &self.live {
            let current = live.0.load();
            if !Arc::ptr_eq(&current, &loaded.rule_table) {
                *loaded = Loaded::new(Arc::clone(&current));
            }
        }
        Rc::clone(&loaded)
    }
}

impl Loaded {
    fn new(rule_table: Arc<RuleTable>) -> Rc<Self> {
        let snapshot = rule_table.names.clone().map(NamedLimitsSnapshot::new);
        Rc::new(Self {
            rule_table,
            snapshot,
        })
    }
}

impl fmt::Debug for RuleTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RuleTable")
            .field("entries", &self.matcher.entries())
            .finish_non_exhaustive()
    }
}
