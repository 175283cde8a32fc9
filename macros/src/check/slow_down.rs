//! Checks the slow-down of a rate limit: its three words, together with the limit's numbers.

use std::time::Duration;

use actix_throttle_core::limit::{Limit, SlowDown};

use super::{
    duration::duration,
    limit::WrittenLimit,
    report::report,
    value::{Number, number},
};
use crate::{args::Arguments, errors::Errors, name::ArgName};

/// A slow-down, valid as far as the macro can evaluate its numbers.
pub(crate) struct SlowDownSpec {
    pub(crate) after: Number,
    pub(crate) by: Duration,
    pub(crate) max: Duration,
}

const WORDS: [ArgName; 3] = [ArgName::SlowAfter, ArgName::SlowBy, ArgName::SlowMax];

/// Checks the words of a slow-down; `None` if there is none, or an error was reported.
pub(crate) fn slow_down(
    arguments: &Arguments,
    limit: Option<&WrittenLimit>,
    errors: &mut Errors,
) -> Option<SlowDownSpec> {
    let after = number(arguments, ArgName::SlowAfter, errors);
    let by = duration(arguments, ArgName::SlowBy, errors);
    let max = duration(arguments, ArgName::SlowMax, errors);
    let read = [after.is_some(), by.is_some(), max.is_some()];
    // A word that cannot be read was reported, and does not count as missing.
    if read != WORDS.map(|word| arguments.named(word).is_some()) {
        return None;
    }
    let words = SlowDown {
        after: after.as_ref().map(|after| after.or(1)),
        by,
        max,
    };
    let limit = limit.map(known);
    if let Err(error) = words.check(limit.as_ref()) {
        report(arguments, error, errors);
        return None;
    }
    Some(SlowDownSpec {
        after: after?,
        by: by?,
        max: max?,
    })
}

/// Returns the limit as far as its numbers are known. A number that only the compiler can evaluate
/// counts as the largest.
fn known(limit: &WrittenLimit) -> Limit {
    let times = limit.times.or(u32::MAX);
    let mut known = match limit.window.every {
        Some(period) => Limit::every(period, times),
        None => Limit::per_minute(times).algorithm(limit.algorithm.unwrap_or_default()),
    };
    if let Some(capacity) = &limit.capacity {
        known = known.capacity(capacity.or(u32::MAX));
    }
    if let Some(lease) = &limit.lease {
        known = known.lease(lease.or(u32::MAX));
    }
    if limit.shadow { known.shadow() } else { known }
}
