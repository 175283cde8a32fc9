//! Reads a rate limit of the file.

use crate::{
    calendar::{Period, TimeZone},
    intern::intern,
    limit::{Algorithm, Limit},
    vocabulary::{self, Argument},
};

use super::{
    diagnostics::Diagnostics,
    duration::durations,
    keys,
    position::{Position, Spanned},
    reader::TableReader,
    window,
};

/// The algorithm in place of a wrong one, so that the keys that depend on it are not reported for
/// that.
const ANY_ALGORITHM: Algorithm = Algorithm::TokenBucket;
/// The limit in place of one whose times or window are wrong, so that its other keys are checked.
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
    let base = window::rate(table, position, diagnostics);
    let by_calendar = keys::is_meant(table, &vocabulary::EVERY);
    let given = table.has(&vocabulary::ALGORITHM);
    let algorithm = table.word::<Algorithm>(&vocabulary::ALGORITHM, diagnostics);
    let with_algorithm = |limit: Limit| match (by_calendar, algorithm, given) {
        (true, ..) => limit,
        (false, Some(algorithm), _) => limit.algorithm(algorithm.value),
        (false, None, false) => limit.algorithm(Algorithm::default()),
        (false, None, true) => limit.algorithm(ANY_ALGORITHM),
    };
    let sound = base.and_then(|Spanned { position, value }| {
        let limit = with_algorithm(value);
        diagnostics.ok(position, limit.validate()).map(|()| limit)
    });
    let placeholder = if by_calendar {
        Limit::every(Period::Day, PLACEHOLDER.times())
    } else {
        with_algorithm(PLACEHOLDER)
    };
    let mut limit = sound.unwrap_or(placeholder);
    if let (true, Some(algorithm)) = (by_calendar, algorithm) {
        let candidate = limit.algorithm(algorithm.value);
        limit = checked(&limit, candidate, algorithm.position, diagnostics);
    }
    if let Some(Spanned { position, value }) = table.text(&vocabulary::TIME_ZONE, diagnostics)
        && diagnostics.ok(position, TimeZone::parse(value)).is_some()
    {
        limit = checked(&limit, limit.time_zone(value), position, diagnostics);
    }
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
    if let Some(block) = durations(table, &vocabulary::BLOCK, diagnostics) {
        limit = checked(
            &limit,
            limit.blocks(&block.value),
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
