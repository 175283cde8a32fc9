//! The numbers of one rate.

use std::time::Duration;

use super::{
    concurrency,
    duration::duration,
    error::Diagnostics,
    table_reader::{Spanned, TableReader},
    tree::Position,
};
use crate::{
    intern::intern,
    limit::{Algorithm, Limit, Refill},
};

const ALGORITHMS: [(&str, Algorithm); 5] = [
    by_name(Algorithm::SlidingWindow),
    by_name(Algorithm::SlidingWindowCounter),
    by_name(Algorithm::FixedWindow),
    by_name(Algorithm::TokenBucket),
    by_name(Algorithm::LeakyBucket),
];
const REFILLS: [(&str, Refill); 2] = [("greedy", Refill::Greedy), ("interval", Refill::Interval)];
/// In microseconds.
const UNITS: [(&str, u64); 5] = [
    ("milliseconds", 1_000),
    ("seconds", 1_000_000),
    ("minutes", 60_000_000),
    ("hours", 3_600_000_000),
    ("days", 86_400_000_000),
];
/// What a wrong algorithm is read as, so that what goes with it is not wrong for that.
const ANY_ALGORITHM: Algorithm = Algorithm::TokenBucket;
/// What the rest of a limit is tried on whose times or window are wrong.
pub(super) const STAND_IN: Limit = Limit::per_minute(1_000);

/// What a whole limit is written as, for errors.
pub(super) const EXAMPLE: &str = "rate = \"100/minute\"";

/// The keys that only a rate has; those of the rate itself come first.
pub(super) const KEYS: [&str; 13] = [
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
/// The keys that every limit has.
const COMMON_KEYS: [&str; 3] = ["name", "zone", "shadow"];

/// Whether this key is one of a rate itself.
pub(super) fn is_of_rate(key: &str) -> bool {
    KEYS[..7].contains(&key)
}

/// Whether times or a window are given.
pub(super) fn has_rate(table: &TableReader<'_>) -> bool {
    KEYS[..7].iter().any(|key| table.has(key))
}

/// Reports all keys that say what a limit is, each with what `reason` makes of it.
pub(super) fn refuse(
    table: &mut TableReader<'_>,
    reason: impl Fn(&str) -> String,
    diagnostics: &mut Diagnostics,
) {
    for keys in [&KEYS[..], &COMMON_KEYS, &concurrency::KEYS] {
        table.refuse(keys, &reason, diagnostics);
    }
}

/// Reads all that a [`Limit`] holds. The limit stands at `place`.
///
/// Each part is tried on what is right so far: one that does not fit is a mistake of its own.
pub(super) fn limit(
    table: &mut TableReader<'_>,
    place: Position,
    diagnostics: &mut Diagnostics,
) -> Option<Limit> {
    let reason = |key: &str| {
        format!(
            "`{key}` belongs to a limit on what runs at once: remove it, or write `max = 5` in place of \
             the rate"
        )
    };
    table.refuse(&concurrency::KEYS, reason, diagnostics);
    let base = rate(table, place, diagnostics);
    let given = table.has("algorithm");
    let algorithm = table
        .word("algorithm", &ALGORITHMS, diagnostics)
        .map(|algorithm| algorithm.value);
    let algorithm = match (algorithm, given) {
        (Some(algorithm), _) => algorithm,
        (None, false) => Algorithm::default(),
        (None, true) => ANY_ALGORITHM,
    };
    let sound = base.and_then(|Spanned { place, value }| {
        let limit = value.algorithm(algorithm);
        diagnostics.ok(place, limit.validate()).map(|()| limit)
    });
    let mut limit = sound.unwrap_or(STAND_IN.algorithm(algorithm));
    if let Some(capacity) = table.count("capacity", 1, diagnostics) {
        limit = fitting(
            &limit,
            limit.capacity(capacity.value),
            capacity.place,
            diagnostics,
        );
    }
    if let Some(refill) = table.word("refill", &REFILLS, diagnostics) {
        limit = fitting(
            &limit,
            limit.refill(refill.value),
            refill.place,
            diagnostics,
        );
    }
    if let Some(lease) = table.count("lease", 2, diagnostics) {
        limit = fitting(&limit, limit.lease(lease.value), lease.place, diagnostics);
    }
    if let Some(block) = duration(table, "block", "\"60s\"", diagnostics) {
        limit = fitting(&limit, limit.block(block.value), block.place, diagnostics);
    }
    if let Some(name) = table.text("name", "\"login\"", diagnostics) {
        limit = fitting(
            &limit,
            limit.name(intern(name.value)),
            name.place,
            diagnostics,
        );
    }
    if let Some(zone) = table.text("zone", "\"accounts\"", diagnostics) {
        limit = limit.zone(intern(zone.value));
    }
    if let Some(cost) = table.count("cost", 1, diagnostics) {
        if sound.is_some() && cost.value > limit.quota() {
            let quota = limit.quota();
            let reason = format!(
                "this limit never holds more than {quota}, so each request would be denied: \
                 lower `cost`, or raise the limit"
            );
            diagnostics.at(cost.place, reason);
        }
        limit = limit.cost(cost.value);
    }
    if table.flag("shadow", diagnostics) {
        limit = limit.shadow();
    }
    sound.map(|_| limit)
}

/// A rate in a string, where nothing else of a limit is given.
pub(super) fn shorthand(rate: Spanned<&str>, diagnostics: &mut Diagnostics) -> Option<Limit> {
    let limit = diagnostics.ok(rate.place, rate.value.parse::<Limit>())?;
    diagnostics.ok(rate.place, limit.validate()).map(|()| limit)
}

/// `candidate`, if it is valid; else what there was before, and a mistake.
fn fitting(
    before: &Limit,
    candidate: Limit,
    place: Position,
    diagnostics: &mut Diagnostics,
) -> Limit {
    match diagnostics.ok(place, candidate.validate()) {
        Some(()) => candidate,
        None => *before,
    }
}

/// Times and window, from `rate` or from keys of their own, and where the times stand.
fn rate(
    table: &mut TableReader<'_>,
    place: Position,
    diagnostics: &mut Diagnostics,
) -> Option<Spanned<Limit>> {
    let rate = table.text("rate", "\"100/minute\"", diagnostics);
    if table.has("rate") {
        let reason = |key: &str| format!("`rate` says this already: remove `{key}`, or `rate`");
        table.refuse(&KEYS[1..7], reason, diagnostics);
        let rate = rate?;
        let limit = diagnostics.ok(rate.place, rate.value.parse())?;
        return Some(Spanned {
            place: rate.place,
            value: limit,
        });
    }
    let (has_times, has_window) = (
        table.has("times"),
        UNITS.iter().any(|(unit, _)| table.has(unit)),
    );
    let times = table.count("times", 1, diagnostics);
    let window = window(table, diagnostics);
    let missing = match (has_times, has_window) {
        (false, false) => {
            "the limit is missing: add `rate = \"100/minute\"`, or `max = 5` for so many at once"
        }
        (false, true) => {
            "`times` is missing: add `times = 100`, or write it as `rate = \"100/minute\"`"
        }
        (true, false) => {
            "the window is missing: add `seconds = 60`, or `milliseconds`, `minutes`, `hours`, `days`"
        }
        (true, true) => "",
    };
    if !missing.is_empty() {
        diagnostics.at(place, missing);
    }
    let (times, window) = (times?, window?);
    // By an algorithm that takes everything: what is wrong now is the window.
    let one = Limit::new(1, window.value).algorithm(Algorithm::FixedWindow);
    diagnostics.ok(window.place, one.validate())?;
    Some(Spanned {
        place: times.place,
        value: Limit::new(times.value, window.value),
    })
}

/// The lengths that are given, added up, and where the first of them stands.
fn window(table: &mut TableReader<'_>, diagnostics: &mut Diagnostics) -> Option<Spanned<Duration>> {
    let mut sum: Option<Spanned<u64>> = None;
    let mut flawless = true;
    for (unit, micros) in UNITS {
        let is_given = table.has(unit);
        match table.count(unit, 1, diagnostics) {
            Some(Spanned { place, value }) => {
                let (place, before) = sum.map_or((place, 0), |sum| (sum.place, sum.value));
                let value = u64::from(value).saturating_mul(micros);
                let value = value.saturating_add(before);
                sum = Some(Spanned { place, value });
            }
            None => flawless &= !is_given,
        }
    }
    let Spanned { place, value } = sum.filter(|_| flawless)?;
    let value = Duration::from_micros(value);
    Some(Spanned { place, value })
}

const fn by_name(algorithm: Algorithm) -> (&'static str, Algorithm) {
    (algorithm.as_str(), algorithm)
}
