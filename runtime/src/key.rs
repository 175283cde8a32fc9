//! (identity, zone, limit) → the key of one counter.
//!
//! As text, for a server: `prefix:{identity}:zone:limit`. The braces are Redis Cluster's hash tag:
//! all counters of one identity live in one slot. What stands between them is escaped, so no
//! identity can pose as another key; the limit's part holds no colon, so no zone can either.

#[cfg(feature = "redis")]
use std::fmt::Write;

use crate::{
    clock::Micros,
    identity::Identity,
    limit::{Algorithm, Concurrency, Limit, Refill},
};

/// Room for a readable identity and the limit's part.
#[cfg(feature = "redis")]
const ROOM: usize = 64;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key<'a> {
    pub(crate) identity: &'a Identity,
    pub(crate) zone: &'a str,
    pub(crate) slot: Slot,
}

/// What is kept under a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Slot {
    /// A counter: all that changes how its state is read, so that a change of `times` keeps it.
    Counter {
        algorithm: Algorithm,
        refill: Refill,
        window: Micros,
        shadow: bool,
    },
    /// Who holds places: neither their number nor their expiry changes how that is read.
    Holders { shadow: bool },
    /// Until when the identity is blocked in the zone.
    Block { shadow: bool },
}

impl<'a> Key<'a> {
    pub(crate) fn counter(identity: &'a Identity, limit: &Limit) -> Self {
        Self {
            identity,
            zone: limit.zone_name(),
            slot: Slot::Counter {
                algorithm: limit.kind(),
                refill: limit.refill_kind(),
                window: limit.window_micros(),
                shadow: limit.is_shadow(),
            },
        }
    }

    pub(crate) fn holders(identity: &'a Identity, limit: &Concurrency) -> Self {
        Self {
            identity,
            zone: limit.zone_name(),
            slot: Slot::Holders {
                shadow: limit.is_shadow(),
            },
        }
    }

    /// Whether both are of one counter. Groups make no difference: they say which limits apply to
    /// an identity, not who it is.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.slot == other.slot
            && self.zone == other.zone
            && self.identity.source() == other.identity.source()
            && self.identity.value() == other.identity.value()
    }

    /// The key of the block that stands above this counter.
    pub(crate) fn block(&self) -> Self {
        let shadow = match self.slot {
            Slot::Counter { shadow, .. } | Slot::Holders { shadow } | Slot::Block { shadow } => {
                shadow
            }
        };
        Self {
            slot: Slot::Block { shadow },
            ..*self
        }
    }

    /// The key as a server stores it.
    #[cfg(feature = "redis")]
    pub(crate) fn text(&self, prefix: &str) -> String {
        let mut text = String::with_capacity(prefix.len() + self.zone.len() + ROOM);
        self.write_stem(prefix, &mut text);
        self.slot.write(&mut text);
        text
    }

    /// What the keys of an identity in a zone have in common.
    #[cfg(feature = "redis")]
    pub(crate) fn write_stem(&self, prefix: &str, text: &mut String) {
        text.push_str(prefix);
        text.push_str(":{");
        // Writing to a String cannot fail.
        let _ = write!(text, "{}", self.identity);
        text.push_str("}:");
        text.push_str(self.zone);
        text.push(':');
    }
}

#[cfg(feature = "cluster")]
impl Key<'_> {
    /// A key of this one's cluster slot that stands for one call of the script. No zone has one
    /// like it: what stands last in those is the name of an algorithm, `running` or `block`.
    pub(crate) fn once_text(&self, prefix: &str, call: u64) -> String {
        format!("{prefix}:{{{}}}:once:{call:016x}", self.identity)
    }
}

#[cfg(feature = "redis")]
impl Slot {
    pub(crate) fn write(&self, text: &mut String) {
        let (shadow, name, window) = match *self {
            Self::Block { shadow } => (shadow, "block", None),
            Self::Holders { shadow } => (shadow, "running", None),
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
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::identity::{Part, Source, Value};

    fn text(identity: &Identity) -> String {
        Key::counter(identity, &Limit::per_second(1).zone("z")).text("p")
    }

    #[test]
    fn keys_are_readable() {
        let limit = Limit::per_minute(5).zone("app::login");
        let address = "2001:db8::1".parse().unwrap();
        for (identity, expected) in [
            (Identity::new("42"), "p:{user=42}:app::login:log-60s"),
            (
                Identity::ip(address),
                "p:{ip=2001-db8-0-0-0-0-0-0}:app::login:log-60s",
            ),
            (Identity::global(), "p:{global}:app::login:log-60s"),
            (
                Identity::new("42").context("room/7"),
                "p:{user=42;room/7}:app::login:log-60s",
            ),
        ] {
            let key = Key::counter(&identity, &limit);
            assert_eq!(key.text("p"), expected);
            assert_eq!(key.block().text("p"), expected.replace("log-60s", "block"));
        }
        let shadow = limit.shadow().algorithm(Algorithm::TokenBucket);
        let user = Identity::new("42");
        assert_eq!(
            Key::counter(&user, &shadow).text("p"),
            "p:{user=42}:app::login:shadow-token-60s"
        );
    }

    #[test]
    fn places_have_a_key_whatever_their_number() {
        let user = Identity::new("42");
        let limit = Concurrency::new(5).zone("app::export");
        let key = Key::holders(&user, &limit);
        assert_eq!(key.text("p"), "p:{user=42}:app::export:running");
        assert_eq!(key.block().text("p"), "p:{user=42}:app::export:block");
        let shadow = Concurrency::new(6).zone("app::export").shadow();
        assert_eq!(
            Key::holders(&user, &shadow).text("p"),
            "p:{user=42}:app::export:shadow-running"
        );
    }

    #[test]
    fn what_could_forge_is_escaped() {
        let hostile = Identity::new("a}:{ip=1.2.3.4\n\0");
        let text = text(&hostile);
        assert_eq!(text.matches('{').count(), 1);
        assert_eq!(text.matches('}').count(), 1);
        assert!(text.bytes().all(|byte| (0x20..0x7f).contains(&byte)));
    }

    #[test]
    fn identities_never_collide() {
        let long = "x".repeat(100);
        let hash_of_long = text(&Identity::new(long.as_str()));
        let inside = &hash_of_long["p:{user=".len()..hash_of_long.find('}').unwrap()];
        let value = |text: &str| Value::Bytes(text.as_bytes().into());
        let header = |text| Identity::of(Source::Part(Part::Header, "a".into()), value(text));
        let all = [
            Identity::new("1.2.3.4"),
            Identity::ip("1.2.3.4".parse().unwrap()),
            Identity::global(),
            Identity::new("global"),
            Identity::new(""),
            Identity::new(long.as_str()),
            Identity::new(inside),
            header("1.2.3.4"),
            header("!1.2.3.4"),
            Identity::unidentified(
                Source::Part(Part::Header, "a".into()),
                Some("1.2.3.4/32".parse().unwrap()),
            ),
            Identity::unidentified(Source::User, Some("1.2.3.4/32".parse().unwrap())),
            Identity::client(None),
            Identity::new("1.2.3.4").context("a"),
            Identity::new("1.2.3.4;a"),
            Identity::new("1.2.3.4").context("a;b"),
            Identity::new("1.2.3.4").context("a").context("b"),
            Identity::new("").context("1.2.3.4"),
            Identity::ip("1.2.3.4".parse().unwrap()).context("a"),
            Identity::client(None).context("a"),
            Identity::global().context("a"),
            Identity::new("1.2.3.4").context(&long),
            #[cfg(feature = "jwt")]
            Identity::of(Source::Claim("sub".into()), value("1.2.3.4")),
            #[cfg(feature = "jwt")]
            Identity::of(Source::Claim("user".into()), value("1.2.3.4")),
            #[cfg(feature = "session")]
            Identity::of(Source::Session("user".into()), value("1.2.3.4")),
        ];
        let texts: HashSet<_> = all.iter().map(text).collect();
        assert_eq!(texts.len(), all.len());
    }
}
