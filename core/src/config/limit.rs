//! Reads a rate limit of the file.

use std::time::Duration;

use crate::{
    intern::intern,
    limit::{Algorithm, Limit},
    text::unit::TimeUnit,
    vocabulary::{self, Argument},
};

use super::{
    diagnostics::Diagnostics,
    duration::duration,
    keys,
    position::{Position, Spanned},
    reader::TableReader,
};

/// Keys of the units of time.
static UNITS: [(&Argument, TimeUnit); 5] = [
    (&vocabulary::MILLISECONDS, TimeUnit::Milliseconds),
    (&vocabulary::SECONDS, TimeUnit::Seconds),
    (&vocabulary::MINUTES, TimeUnit::Minutes),
    (&vocabulary::HOURS, TimeUnit::Hours),
    (&vocabulary::DAYS, TimeUnit::Days),
];
/// Stands in for a wrong algorithm, so that the keys that depend on it are not reported for that.
const ANY_ALGORITHM: Algorithm = Algorithm::TokenBucket;
/// Stands in for a limit whose times or window are wrong, so that its other keys are checked.
pub(crate) const PLACEHOLDER: Limit = Limit::per_minute(1_000);

/// Example of a limit, for diagnostics.
pub(crate) const EXAMPLE: &str = "rate = \"100/minute\"";

/// Reads the keys of a [`Limit`]. The limit starts at `position`.
///
/// Each key is validated together with the valid keys before it, so that each conflict is a
/// diagnostic of its own.
pub(crate) fn limit(
    table: &mut TableReader<'_>,
    position: Position,
    diagnostics: &mut Diagnostics,
) -> Option<Limit> {
    let reason = |key: &Argument| {
        let key = key.name;
        format!(
            "`{key}` belongs to a concurrency limit: remove it, or write `max = 5` in place of \
             the rate"
        )
    };
    table.refuse(keys::only_of_concurrency(), reason, diagnostics);
    let base = rate(table, position, diagnostics);
    let given = table.has(&vocabulary::ALGORITHM);
    let algorithm = table
        .word::<Algorithm>(&vocabulary::ALGORITHM, diagnostics)
        .map(|algorithm| algorithm.value);
    let algorithm = match (algorithm, given) {
        (Some(algorithm), _) => algorithm,
        (None, false) => Algorithm::default(),
        (None, true) => ANY_ALGORITHM,
    };
    let sound = base.and_then(|Spanned { position, value }| {
        let limit = value.algorithm(algorithm);
        diagnostics.ok(position, limit.validate()).map(|()| limit)
    });
    let mut limit = sound.unwrap_or(PLACEHOLDER.algorithm(algorithm));
    if let Some(capacity) = table.count(&vocabulary::CAPACITY, diagnostics) {
        limit = checked(
            &limit,
            limit.capacity(capacity.value),
            capacity.position,
            diagnostics,
        );
    }
    if let Some(refill) = table.word(&vocabulary::REFILL, diagnostics) {
        limit = checked(
            &limit,
            limit.refill(refill.value),
            refill.position,
            diagnostics,
        );
    }
    if let Some(lease) = table.count(&vocabulary::LEASE, diagnostics) {
        limit = checked(
            &limit,
            limit.lease(lease.value),
            lease.position,
            diagnostics,
        );
    }
    if let Some(block) = duration(table, &vocabulary::BLOCK, diagnostics) {
        limit = checked(
            &limit,
            limit.block(block.value),
            block.position,
            diagnostics,
        );
    }
    if let Some(name) = table.text(&vocabulary::NAME, diagnostics) {
        limit = checked(
            &limit,
            limit.name(intern(name.value)),
            name.position,
            diagnostics,
        );
    }
    if let Some(zone) = table.text(&vocabulary::ZONE, diagnostics) {
        limit = limit.zone(intern(zone.value));
    }
    if let Some(cost) = table.count(&vocabulary::COST, diagnostics) {
        limit = limit.cost(cost.value);
        if sound.is_some() {
            diagnostics.ok(cost.position, limit.validate_cost());
        }
    }
    if table.flag(&vocabulary::SHADOW, diagnostics) {
        limit = limit.shadow();
    }
    sound.map(|_| limit)
}

/// Reads a rate from a string, without any other key of a limit.
pub(crate) fn shorthand(rate: Spanned<&str>, diagnostics: &mut Diagnostics) -> Option<Limit> {
    let limit = diagnostics.ok(rate.position, rate.value.parse::<Limit>())?;
    diagnostics
        .ok(rate.position, limit.validate())
        .map(|()| limit)
}

/// Returns `candidate` if it is valid; else reports why, and returns `before`.
fn checked(
    before: &Limit,
    candidate: Limit,
    position: Position,
    diagnostics: &mut Diagnostics,
) -> Limit {
    match diagnostics.ok(position, candidate.validate()) {
        Some(()) => candidate,
        None => *before,
    }
}

/// Reads times and window, from `rate` or from their own keys. The position is that of the times.
fn rate(
    table: &mut TableReader<'_>,
    position: Position,
    diagnostics: &mut Diagnostics,
) -> Option<Spanned<Limit>> {
    let rate = table.text(&vocabulary::RATE, diagnostics);
    if table.has(&vocabulary::RATE) {
        let reason =
            |key: &Argument| format!("`rate` says this already: remove `{}`, or `rate`", key.name);
        table.refuse(keys::TIMES_AND_WINDOW, reason, diagnostics);
        let rate = rate?;
        let limit = diagnostics.ok(rate.position, rate.value.parse())?;
        return Some(Spanned {
            position: rate.position,
            value: limit,
        });
    }
    let (has_times, has_window) = (
        table.has(&vocabulary::TIMES),
        UNITS.iter().any(|(unit, _)| table.has(unit)),
    );
    let times = table.count(&vocabulary::TIMES, diagnostics);
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
        diagnostics.at(position, missing);
    }
    let (times, window) = (times?, window?);
    // Validate by an algorithm that takes any times: an error here is about the window.
    let one = Limit::new(1, window.value).algorithm(Algorithm::FixedWindow);
    diagnostics.ok(window.position, one.validate())?;
    Some(Spanned {
        position: times.position,
        value: Limit::new(times.value, window.value),
    })
}

/// Reads the units of time and adds them up. The position is that of the first unit.
fn window(table: &mut TableReader<'_>, diagnostics: &mut Diagnostics) -> Option<Spanned<Duration>> {
    let mut sum: Option<Spanned<u64>> = None;
    let mut flawless = true;
    for (argument, unit) in UNITS {
        let is_given = table.has(argument);
        match table.count(argument, diagnostics) {
            Some(Spanned { position, value }) => {
                let (position, before) = sum.map_or((position, 0), |sum| (sum.position, sum.value));
                let value = u64::from(value).saturating_mul(unit.micros());
                let value = value.saturating_add(before);
                sum = Some(Spanned { position, value });
            }
            None => flawless &= !is_given,
        }
    }
    let Spanned { position, value } = sum.filter(|_| flawless)?;
    let value = Duration::from_micros(value);
    Some(Spanned { position, value })
}
