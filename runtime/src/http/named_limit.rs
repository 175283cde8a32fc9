//! A rule's limit that a configuration has by name.

use std::{borrow::Cow, fmt, rc::Rc, sync::Arc};

use actix_web::{HttpMessage, HttpRequest};
use arc_swap::Guard;

use crate::{
    intern::intern,
    limit::{AnyLimit, Limit},
    limiter::{CachedIndex, NamedLimit, NamedLimitTable, NamedLimits, RateLimiter},
};

/// The name, where a configuration has it, and what it leaves open there.
#[derive(Clone)]
pub(super) struct NamedLimitRef {
    pub(super) name: &'static str,
    known: Arc<CachedIndex>,
    label: Label,
}

/// What a limit is called and counted as if the configuration does not say.
#[derive(Clone, Copy)]
struct Label {
    name: &'static str,
    zone: &'static str,
}

/// What the names stand for, kept with a request whose middleware has its rules from the same
/// configuration: what is named further in is of the same state.
///
/// By an `Rc`, for workers that count up and down how often one thing is held wait for each other.
#[derive(Clone)]
pub(super) struct ConfigSnapshot(Rc<SharedSnapshot>);

struct SharedSnapshot(Arc<NamedLimitTable>);

/// What the names stand for, at one moment.
pub(super) enum NamedLimitsView<'a> {
    /// The limiter has no configuration.
    Nothing,
    ConfigSnapshot(&'a NamedLimits, ConfigSnapshot),
    Current(&'a NamedLimits, Guard<Arc<NamedLimitTable>>),
}

impl NamedLimitRef {
    /// All of this name count in one counter.
    pub(super) fn new(name: Cow<'static, str>) -> Self {
        let name = match name {
            Cow::Borrowed(name) => name,
            Cow::Owned(name) => intern(&name),
        };
        Self {
            name,
            known: Arc::default(),
            label: Label { name, zone: name },
        }
    }

    /// The same, called and counted in this way.
    pub(super) fn called(mut self, name: &'static str, zone: &'static str) -> Self {
        self.label = Label { name, zone };
        self
    }

    /// Counts as this limit does, and with it: whichever of the two is in force.
    pub(super) fn or(self, limit: &Limit) -> Self {
        let name = limit.policy_name().unwrap_or(self.name);
        // Anew: clones that have nothing to fall back to need the name, and are to say so.
        let known = Arc::default();
        Self { known, ..self }.called(name, limit.zone_name())
    }

    /// The limit that it stands for, with what that leaves open.
    pub(super) fn fill(&self, policy: AnyLimit) -> AnyLimit {
        policy.with_default_name(self.label.name, self.label.zone)
    }
}

impl ConfigSnapshot {
    pub(super) fn new(names: Arc<NamedLimitTable>) -> Self {
        Self(Rc::new(SharedSnapshot(names)))
    }
}

impl<'a> NamedLimitsView<'a> {
    pub(super) fn of(limiter: &'a RateLimiter, request: &HttpRequest) -> Self {
        let Some(named) = &limiter.settings().named else {
            return Self::Nothing;
        };
        match request.extensions().get::<ConfigSnapshot>() {
            Some(pinned) if named.has(&pinned.0.0) => Self::ConfigSnapshot(named, pinned.clone()),
            _ => Self::Current(named, named.current()),
        }
    }

    /// The same whatever the request was pinned to: a WebSocket may outlast many configurations.
    pub(super) fn now(limiter: &'a RateLimiter) -> Self {
        match &limiter.settings().named {
            Some(named) => Self::Current(named, named.current()),
            None => Self::Nothing,
        }
    }

    /// What this name stands for. One that is `required` cannot be taken away from then on.
    pub(super) fn find(&self, named: &NamedLimitRef, required: bool) -> Option<&NamedLimit> {
        let (limits, names): (_, &NamedLimitTable) = match self {
            Self::Nothing => return None,
            Self::ConfigSnapshot(limits, pinned) => (limits, &pinned.0.0),
            Self::Current(limits, names) => (limits, names),
        };
        names.get(limits.index_of(named.name, required, &named.known))
    }
}

impl fmt::Debug for NamedLimitRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.name.fmt(f)
    }
}
