//! One entry of a Redis as a row and as JSON.

use actix_throttle_core::{
    key::KeyKind,
    limit::Refill,
    stored::{EntryState, StoredEntry},
    time::Micros,
};
use serde_json::{Map, Value, json};

use crate::output::duration;

/// The columns of a table of entries.
pub(super) const HEADER: [&str; 5] = ["identity", "zone", "limit", "used", "over in"];

/// An entry as a row of a table.
pub(super) fn as_row(entry: &StoredEntry) -> [String; 5] {
    let (used, over) = match entry.state {
        EntryState::Used(usage) => {
            let about = if usage.is_estimate { "~" } else { "" };
            (format!("{about}{}", usage.used), usage.reset)
        }
        EntryState::Held { permits, longest } => (format!("{permits} held"), Some(longest)),
        EntryState::Blocked(left) => ("blocked".to_owned(), Some(left)),
        EntryState::Unreadable => ("unreadable".to_owned(), None),
    };
    let over = over.map_or_else(|| "?".to_owned(), duration);
    let (identity, zone) = (entry.identity.clone(), entry.zone.clone());
    [identity, zone, limit(entry.kind), used, over]
}

/// The limit in words. Its numbers are not stored.
fn limit(kind: KeyKind) -> String {
    let (shadow, text) = match kind {
        KeyKind::Block { shadow } => (shadow, "block".to_owned()),
        KeyKind::PermitTable { shadow } => (shadow, "concurrency limit".to_owned()),
        KeyKind::Calendar { period, shadow } => (shadow, format!("every {period}")),
        KeyKind::Counter {
            algorithm,
            refill,
            window,
            shadow,
        } => {
            let interval = if refill == Refill::Interval {
                " interval"
            } else {
                ""
            };
            (
                shadow,
                format!("{algorithm}{interval} {}", duration(window)),
            )
        }
    };
    if shadow {
        format!("shadow {text}")
    } else {
        text
    }
}

/// An entry as JSON.
pub(super) fn as_json(entry: &StoredEntry) -> Value {
    let mut fields = Map::new();
    let mut set = |name: &str, value: Value| fields.insert(name.to_owned(), value);
    set("key", json!(entry.key));
    set("identity", json!(entry.identity));
    set("zone", json!(entry.zone));
    set("expires_in_ms", json!(entry.expires.map(millis)));
    let (kind, shadow) = match entry.kind {
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
    match entry.state {
        EntryState::Used(usage) => {
            set("used", json!(usage.used));
            set("estimate", json!(usage.is_estimate));
            set("reset_after_ms", json!(usage.reset.map(millis)));
        }
        EntryState::Held { permits, longest } => {
            set("used", json!(permits));
            set("reset_after_ms", json!(millis(longest)));
        }
        EntryState::Blocked(left) => {
            set("blocked_for_ms", json!(millis(left)));
        }
        EntryState::Unreadable => {
            set("unreadable", json!(true));
        }
    }
    Value::Object(fields)
}

/// Milliseconds, rounded up.
fn millis(micros: Micros) -> u64 {
    micros.div_ceil(1_000)
}
