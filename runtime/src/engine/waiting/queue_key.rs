//! The key of a wait queue.

use actix_throttle_core::{
    identity::Identity,
    key::{Key, KeyKind},
};

/// The key of a wait queue: the counter that its waiters need.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct QueueKey {
    identity: Identity,
    zone: Box<str>,
    kind: KeyKind,
}

impl QueueKey {
    pub(super) fn of(key: &Key<'_>) -> Self {
        Self {
            // A group selects limits; it does not tell counters apart.
            identity: key.identity.without_group(),
            zone: key.zone.into(),
            kind: key.kind,
        }
    }

    /// Whether it counts this identity, which has no group, in this zone.
    pub(super) fn is_in(&self, identity: &Identity, zone: &str) -> bool {
        &*self.zone == zone && self.identity == *identity
    }
}
