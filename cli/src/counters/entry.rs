//! One entry of a Redis as a row and as JSON.

use actix_throttle_core::{
    key::KeyKind,
    limit::Refill,
    stored::{EntryState, StoredEntry, StoredOffences},
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
        EntryState::Blocked { left, offences } => {
            let offences = offences.as_ref().map(offences_in_words);
            let offences = offences.map_or_else(String::new, |words| format!(", {words}"));
            (format!("blocked{offences}"), Some(left))
        }
        EntryState::BlockEnded(offences) => (offences_in_words(&offences), Some(offences.left)),
        EntryState::Unreadable => ("unreadable".to_owned(), None),
    };
    let over = over.map_or_else(|| "?".to_owned(), duration);
    let (identity, zone) = (entry.identity.clone(), entry.zone.clone());
    [identity, zone, entry.kind.in_words(), used, over]
}

/// Offences in words, with the length of the block that the next one starts.
fn offences_in_words(offences: &StoredOffences) -> String {
    let next = duration(offences.next);
    format!("{}, next {next}", offences.in_words())
}

/// An entry as JSON.
pub(super) fn as_json(entry: &StoredEntry) -> Value {
    let mut fields = Map::new();
    let mut set = |name: &str, value: Value| {
        fields.insert(name.to_owned(), value);
    };
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
        EntryState::Blocked { left, offences } => {
            set("blocked_for_ms", json!(millis(left)));
            if let Some(offences) = offences {
                set("offences", offences_as_json(&offences));
            }
        }
        EntryState::BlockEnded(offences) => set("offences", offences_as_json(&offences)),
        EntryState::Unreadable => {
            set("unreadable", json!(true));
        }
    }
    Value::Object(fields)
}

fn offences_as_json(offences: &StoredOffences) -> Value {
    json!({
        "count": offences.count,
        "step": offences.step(),
        "steps": offences.steps,
        "next_block_ms": millis(offences.next),
        "forgotten_after_ms": millis(offences.left),
    })
}

/// Milliseconds, rounded up.
fn millis(micros: Micros) -> u64 {
    micros.div_ceil(1_000)
}
