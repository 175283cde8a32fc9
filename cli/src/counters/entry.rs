//! One key of a Redis with what it says at this moment, as a row and as JSON.

use actix_throttle_core::{key::KeyKind, limit::Refill, stored::StoredUsage, time::Micros};
use serde_json::{Map, Value, json};

use crate::output::duration;

/// A counter, the permits of a concurrency limit, or a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) key: String,
    /// The identity as keys have it.
    pub(super) identity: String,
    pub(super) zone: String,
    pub(super) kind: KeyKind,
    pub(super) state: State,
    /// The time until the key expires, in microseconds; `None` if it never does.
    pub(super) expires: Option<Micros>,
}

/// The value of a key, decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Used(StoredUsage),
    /// The number of permits that are held, and the time until the last of them expires.
    Held {
        permits: u32,
        longest: Micros,
    },
    /// The time that is left of a block.
    Blocked(Micros),
    /// The value is none of this library's, or of a version that this one does not know.
    Unreadable,
}

/// The columns of a table of entries.
pub(super) const HEADER: [&str; 5] = ["identity", "zone", "limit", "used", "over in"];

impl Entry {
    pub(super) fn is_block(&self) -> bool {
        matches!(self.kind, KeyKind::Block { .. })
    }

    pub(super) fn is_permits(&self) -> bool {
        matches!(self.kind, KeyKind::PermitTable { .. })
    }

    /// How much is used, or how many permits are held. A block uses nothing.
    pub(super) fn used(&self) -> u32 {
        match self.state {
            State::Used(usage) => usage.used,
            State::Held { permits, .. } => permits,
            State::Blocked(_) | State::Unreadable => 0,
        }
    }

    pub(super) fn row(&self) -> [String; 5] {
        let (used, over) = match self.state {
            State::Used(usage) => {
                let about = if usage.is_estimate { "~" } else { "" };
                (format!("{about}{}", usage.used), usage.reset)
            }
            State::Held { permits, longest } => (format!("{permits} held"), Some(longest)),
            State::Blocked(left) => ("blocked".to_owned(), Some(left)),
            State::Unreadable => ("unreadable".to_owned(), None),
        };
        let over = over.map_or_else(|| "?".to_owned(), duration);
        let (identity, zone) = (self.identity.clone(), self.zone.clone());
        [identity, zone, self.limit(), used, over]
    }

    /// The limit in words. Its numbers are not stored.
    fn limit(&self) -> String {
        let (shadow, text) = match self.kind {
            KeyKind::Block { shadow } => (shadow, "block".to_owned()),
            KeyKind::PermitTable { shadow } => (shadow, "concurrency limit".to_owned()),
            KeyKind::Calendar { period, shadow } => (shadow, format!("every {period}")),
            KeyKind::Counter {
                algorithm,
                refill,
                window,
                shadow,
            } => {
                let interval = match refill == Refill::Interval {
                    true => " interval",
                    false => "",
                };
                (
                    shadow,
                    format!("{algorithm}{interval} {}", duration(window)),
                )
            }
        };
        match shadow {
            true => format!("shadow {text}"),
            false => text,
        }
    }

    pub(super) fn json(&self) -> Value {
        let mut fields = Map::new();
        let mut set = |name: &str, value: Value| fields.insert(name.to_owned(), value);
        set("key", json!(self.key));
        set("identity", json!(self.identity));
        set("zone", json!(self.zone));
        set("expires_in_ms", json!(self.expires.map(millis)));
        let (kind, shadow) = match self.kind {
            KeyKind::Block { shadow } => ("block", shadow),
            KeyKind::PermitTable { shadow } => ("permits", shadow),
            KeyKind::Calendar { period, shadow } => {
                set("every", json!(period.as_str()));
                ("counter", shadow)
            }
            KeyKind::Counter {
                algorithm,
                refill,
                window,
                shadow,
            } => {
                set("algorithm", json!(algorithm.to_string()));
                if refill == Refill::Interval {
                    set("refill", json!("interval"));
                }
                // Windows are whole milliseconds.
                set("window_ms", json!(window / 1_000));
                ("counter", shadow)
            }
        };
        set("kind", json!(kind));
        set("shadow", json!(shadow));
        match self.state {
            State::Used(usage) => {
                set("used", json!(usage.used));
                set("estimate", json!(usage.is_estimate));
                set("reset_after_ms", json!(usage.reset.map(millis)));
            }
            State::Held { permits, longest } => {
                set("used", json!(permits));
                set("reset_after_ms", json!(millis(longest)));
            }
            State::Blocked(left) => {
                set("blocked_for_ms", json!(millis(left)));
            }
            State::Unreadable => {
                set("unreadable", json!(true));
            }
        }
        Value::Object(fields)
    }
}

/// Milliseconds, rounded up.
fn millis(micros: Micros) -> u64 {
    micros.div_ceil(1_000)
}
