//! What a middleware holds that a configuration may replace while it works.

use std::{cell::RefCell, fmt, rc::Rc, sync::Arc};

use arc_swap::ArcSwap;

use super::{entry::Entry, exempt::Exempt, matcher::Matcher, paths::Paths};
use crate::{
    error::InitError,
    http::{named::Pinned, rule::Rule},
    limiter::Names,
};

/// Entries in order, and what they leave alone. It does not change: a request sees all of one.
#[derive(Clone, Default)]
pub(crate) struct Rulebook {
    pub(super) matcher: Matcher,
    pub(super) exempt: Exempt,
    pub(super) skip_preflight: bool,
    /// What limits by name stand for beside these entries.
    names: Option<Arc<Names>>,
}

impl Rulebook {
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
        let entry = Entry::new(paths, rules, self.matcher.entries())?;
        self.matcher.push(entry);
        Ok(())
    }

    /// Adds an entry whose requests are not limited.
    ///
    /// # Errors
    ///
    /// As for [`Throttle::exempt_paths`](super::Throttle::exempt_paths).
    pub(crate) fn add_exempt(&mut self, paths: Paths) -> Result<(), InitError> {
        self.matcher.push(Entry::exempt(paths)?);
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
    pub(crate) fn pin(&mut self, names: Arc<Names>) {
        self.names = Some(names);
    }

    /// Compiles what the first request would have to wait for.
    pub(crate) fn prepare(&self) {
        self.matcher.prepare();
    }
}

/// One rulebook after the other, the same for all workers at once.
pub(crate) struct LiveRulebook(ArcSwap<Rulebook>);

#[cfg(feature = "config")]
impl LiveRulebook {
    pub(crate) fn new(first: Rulebook) -> Self {
        Self(ArcSwap::from_pointee(first))
    }

    /// What holds for all requests that come from now on.
    pub(crate) fn replace(&self, next: Rulebook) {
        next.prepare();
        self.0.store(Arc::new(next));
    }
}

/// The rulebook that a worker goes by. How many requests hold it is counted there, by an `Rc` around
/// this: workers that count together wait for each other.
pub(super) struct Held {
    pub(super) rulebook: Arc<Rulebook>,
    /// What is kept with requests.
    pub(super) pinned: Option<Pinned>,
}

/// Where a worker has its rulebook from.
pub(super) struct Shelf {
    live: Option<Arc<LiveRulebook>>,
    held: RefCell<Rc<Held>>,
}

impl Shelf {
    pub(super) fn new(own: &Arc<Rulebook>, live: Option<Arc<LiveRulebook>>) -> Self {
        let first = match &live {
            Some(live) => live.0.load_full(),
            None => Arc::clone(own),
        };
        first.prepare();
        let held = RefCell::new(Held::new(first));
        Self { live, held }
    }

    /// What is in force.
    pub(super) fn current(&self) -> Rc<Held> {
        let mut held = self.held.borrow_mut();
        if let Some(live) = &self.live {
            let current = live.0.load();
            if !Arc::ptr_eq(&current, &held.rulebook) {
                *held = Held::new(Arc::clone(&current));
            }
        }
        Rc::clone(&held)
    }
}

impl Held {
    fn new(rulebook: Arc<Rulebook>) -> Rc<Self> {
        let pinned = rulebook.names.clone().map(Pinned::new);
        Rc::new(Self { rulebook, pinned })
    }
}

impl fmt::Debug for Rulebook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rulebook")
            .field("entries", &self.matcher.entries())
            .finish_non_exhaustive()
    }
}
