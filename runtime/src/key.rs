//! (identity, zone, limit) → the key of one counter.
//!
//! As text, for a server: `prefix:{identity}:zone:limit`. The braces are Redis Cluster's hash tag:
//! all counters of one identity live in one slot. What stands between them is escaped, so no
//! identity can pose as another key; the limit's part holds no colon, so no zone can either.

#[cfg(feature = "cluster")]
use std::fmt::Write;

use crate::{
    clock::Micros,
    identity::Identity,
    limit::{Algorithm, Concurrency, Limit, Refill},
};

/// Room for a readable identity and the limit's part.
#[cfg(feature = "redis")]
const ROOM: usize = 64;

/// How keys are written for a server.
#[cfg(feature = "redis")]
#[derive(Clone, Debug, Default)]
pub(crate) struct Naming {
    pub(crate) prefix: Box<str>,
    /// Whether what may be a secret stands in them as it is.
    pub(crate) plain: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key<'a> {
    pub(crate) identity: &'a Identity,
    pub(crate) zone: &'a str,
    pub(crate) kind: KeyKind,
}

/// What is kept under a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum KeyKind {
    /// A counter: all that changes how its state is read, so that a change of `times` keeps it.
    Counter {
        algorithm: Algorithm,
        refill: Refill,
        window: Micros,
        shadow: bool,
    },
    /// Who holds places: neither their number nor their expiry changes how that is read.
    PermitTable { shadow: bool },
    /// Until when the identity is blocked in the zone.
    Block { shadow: bool },
}

impl<'a> Key<'a> {
    pub(crate) fn counter(identity: &'a Identity, limit: &Limit) -> Self {
        Self {
            identity,
            zone: limit.zone_name(),
            kind: KeyKind::Counter {
                algorithm: limit.kind(),
                refill: limit.refill_kind(),
                window: limit.window_micros(),
                shadow: limit.is_shadow(),
            },
        }
    }

    pub(crate) fn permits(identity: &'a Identity, limit: &Concurrency) -> Self {
        Self {
            identity,
            zone: limit.zone_name(),
            kind: KeyKind::PermitTable {
                shadow: limit.is_shadow(),
            },
        }
    }

    /// Whether both are of one counter. Groups make no difference: they say which limits apply to
    /// an identity, not who it is.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.kind == other.kind
            && self.zone == other.zone
            && self.identity.source() == other.identity.source()
            && self.identity.value() == other.identity.value()
    }

    /// The key of the block that stands above this counter.
    pub(crate) fn block(&self) -> Self {
        let shadow = match self.kind {
            KeyKind::Counter { shadow, .. }
            | KeyKind::PermitTable { shadow }
            | KeyKind::Block { shadow } => shadow,
        };
        Self {
            kind: KeyKind::Block { shadow },
            ..*self
        }
    }

    /// The key as a server stores it.
    #[cfg(feature = "redis")]
    pub(crate) fn text(&self, naming: &Naming) -> String {
        let mut text = String::with_capacity(naming.prefix.len() + self.zone.len() + ROOM);
        self.write_stem(naming, &mut text);
        self.kind.write(&mut text);
        text
    }

    /// What the keys of an identity in a zone have in common.
    #[cfg(feature = "redis")]
    pub(crate) fn write_stem(&self, naming: &Naming, text: &mut String) {
        self.write_tag(naming, text);
        text.push_str(self.zone);
        text.push(':');
    }

    /// The part that all keys of an identity have in common.
    #[cfg(feature = "redis")]
    fn write_tag(&self, naming: &Naming, text: &mut String) {
        text.push_str(&naming.prefix);
        text.push_str(":{");
        // Writing to a String cannot fail.
        let _ = self.identity.write_key(text, naming.plain);
        text.push_str("}:");
    }
}

#[cfg(feature = "cluster")]
impl Key<'_> {
    /// A key of this one's cluster slot that stands for one call of the script. No zone has one
    /// like it: what stands last in those is the name of an algorithm, `running` or `block`.
    pub(crate) fn idempotency_key(&self, naming: &Naming, call: u64) -> String {
        let mut text = String::with_capacity(naming.prefix.len() + ROOM);
        self.write_tag(naming, &mut text);
        // As above.
        let _ = write!(text, "once:{call:016x}");
        text
    }
}

#[cfg(feature = "redis")]
impl KeyKind {
    pub(crate) fn write(&self, text: &mut String) {
        let (shadow, name, window) = match *self {
            Self::Block { shadow } => (shadow, "block", None),
            Self::PermitTable { shadow } => (shadow, "running", None),
            Self::Counter {
                algorithm,
                refill,
                window,
                shadow,
            } => (shadow, short_name(algorithm, refill), Some(window)),
        };
        if shadow {
            text.push_str("shadow-");
        }
        text.push_str(name);
        let Some(window) = window else { return };
        let (number, unit) = if window.is_multiple_of(1_000_000) {
            (window / 1_000_000, "s")
        } else if window.is_multiple_of(1_000) {
            (window / 1_000, "ms")
        } else {
            (window, "us")
        };
        text.push('-');
        text.push_str(itoa::Buffer::new().format(number));
        text.push_str(unit);
    }
}

#[cfg(feature = "redis")]
fn short_name(algorithm: Algorithm, refill: Refill) -> &'static str {
    match (algorithm, refill) {
        (Algorithm::SlidingWindow, _) => "log",
        (Algorithm::SlidingWindowCounter, _) => "counter",
        (Algorithm::FixedWindow, _) => "fixed",
        (Algorithm::TokenBucket, Refill::Greedy) => "token",
        (Algorithm::TokenBucket, Refill::Interval) => "interval",
        (Algorithm::LeakyBucket, _) => "leaky",
    }
}

#[cfg(all(test, feature = "redis"))]
mod tests;
