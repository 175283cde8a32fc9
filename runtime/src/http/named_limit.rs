//! Rules' references to limits that a configuration names, and the snapshots to look them up in.
//!
//! Rules hold the references, and resolution looks them up. Nothing here changes a configuration.

use std::{borrow::Cow, fmt, rc::Rc, sync::Arc};

use actix_throttle_core::{
    intern::intern,
    limit::{AnyLimit, Limit, NamedLimit},
};
use actix_web::{HttpMessage, HttpRequest};
use arc_swap::Guard;

use crate::{
    engine::{CachedIndex, NamedLimitTable, NamedLimits},
    limiter::RateLimiter,
};

/// A reference to a named limit: the name, its index in the configuration once that is known, and
/// the name and zone that apply where the configuration sets none.
#[derive(Clone)]
pub(super) struct NamedLimitRef {
    pub(super) name: &'static str,
    known: Arc<CachedIndex>,
    label: DefaultLabel,
}

/// The name and zone of a limit where the configuration sets none.
#[derive(Clone, Copy)]
struct DefaultLabel {
    name: &'static str,
    zone: &'static str,
}

/// A snapshot of the named limits, kept with a request.
///
/// A middleware with rules from the same configuration attaches it, so that handlers further in use
/// the same state of the limits.
///
/// `Rc` and not `Arc`: every request clones this, and an atomic count shared by all workers would
/// be a contended cache line.
#[derive(Clone)]
pub(super) struct NamedLimitsSnapshot(Rc<SharedSnapshot>);

struct SharedSnapshot(Arc<NamedLimitTable>);

/// The named limits that apply to one request.
pub(super) enum NamedLimitsView<'a> {
    /// The limiter has no configuration.
    Nothing,
    Snapshot(&'a NamedLimits, NamedLimitsSnapshot),
    Current(&'a NamedLimits, Guard<Arc<NamedLimitTable>>),
}

impl NamedLimitRef {
    /// Creates a reference. Unless `called` changes that, rules of one name share one counter.
    pub(super) fn new(name: Cow<'static, str>) -> Self {
        let name = match name {
            Cow::Borrowed(name) => name,
            Cow::Owned(name) => intern(&name),
        };
        Self {
            name,
            known: Arc::default(),
            label: DefaultLabel { name, zone: name },
        }
    }

    /// Sets the name and zone that apply where the configuration sets none.
    pub(super) fn called(mut self, name: &'static str, zone: &'static str) -> Self {
        self.label = DefaultLabel { name, zone };
        self
    }

    /// Takes over the name and zone of the fallback, so that both limits share one counter.
    pub(super) fn or(self, limit: &Limit) -> Self {
        let name = limit.name_value().unwrap_or(self.name);
        // The cache is new: a clone without a fallback has to look the name up itself, because only
        // that lookup marks the name as required.
        let known = Arc::default();
        Self { known, ..self }.called(name, limit.zone_name())
    }

    /// The name that applies where the configuration sets none.
    pub(super) fn default_name(&self) -> &'static str {
        self.label.name
    }

    /// Completes the limit with a name and zone, where the configuration sets none.
    pub(super) fn fill(&self, limit: AnyLimit) -> AnyLimit {
        limit.with_default_name(self.label.name, self.label.zone)
    }
}

impl NamedLimitsSnapshot {
    pub(super) fn new(names: Arc<NamedLimitTable>) -> Self {
        Self(Rc::new(SharedSnapshot(names)))
    }
}

impl<'a> NamedLimitsView<'a> {
    pub(super) fn of(limiter: &'a RateLimiter, request: &HttpRequest) -> Self {
        let Some(named) = &limiter.engine().settings().named_limits else {
            return Self::Nothing;
        };
        match request.extensions().get::<NamedLimitsSnapshot>() {
            Some(pinned) if named.has(&pinned.0.0) => Self::Snapshot(named, pinned.clone()),
            _ => Self::Current(named, named.current()),
        }
    }

    /// The current limits, whatever snapshot the request has: a WebSocket may outlast many
    /// configurations.
    pub(super) fn now(limiter: &'a RateLimiter) -> Self {
        match &limiter.engine().settings().named_limits {
            Some(named) => Self::Current(named, named.current()),
            None => Self::Nothing,
        }
    }

    /// Looks a limit up. A name that is `required` cannot be removed by a later configuration.
    pub(super) fn find(&self, named: &NamedLimitRef, required: bool) -> Option<&NamedLimit> {
        let (limits, names): (_, &NamedLimitTable) = match self {
            Self::Nothing => return None,
            Self::Snapshot(limits, pinned) => (limits, &pinned.0.0),
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
