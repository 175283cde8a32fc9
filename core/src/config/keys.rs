//! The keys of a limit, by the kind of limit that has them.

use super::{diagnostics::Diagnostics, reader::TableReader};

/// Keys that only a rate has; those of times and window come first.
pub(crate) const RATE: [&str; 13] = [
    "rate",
    "times",
    "milliseconds",
    "seconds",
    "minutes",
    "hours",
    "days",
    "algorithm",
    "capacity",
    "refill",
    "lease",
    "block",
    "cost",
];
/// Keys that no rate has.
pub(crate) const CONCURRENCY: [&str; 2] = ["max", "expiry"];
/// Keys that every limit has.
const COMMON: [&str; 3] = ["name", "zone", "shadow"];

/// An option that only a rate has.
pub(crate) const REFUND_ON: &str = "refund_on";

/// Whether this key gives times or a window.
pub(crate) fn is_of_rate(key: &str) -> bool {
    RATE[..7].contains(&key)
}

/// Whether the table gives times or a window.
pub(crate) fn has_rate(table: &TableReader<'_>) -> bool {
    RATE[..7].iter().any(|key| table.has(key))
}

/// Reports all keys that define a limit, each with the text that `reason` makes of it.
pub(crate) fn refuse(
    table: &mut TableReader<'_>,
    reason: impl Fn(&str) -> String,
    diagnostics: &mut Diagnostics,
) {
    for keys in [&RATE[..], &COMMON, &CONCURRENCY] {
        table.refuse(keys, &reason, diagnostics);
    }
}
