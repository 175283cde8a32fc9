//! The moments at which the periods around a moment begin and end.
//!
//! A day begins at its midnight, and where a clock change leaves midnight out, at the moment that
//! the clocks show in its place. An hour begins at minute 0 of the local clock; a clock change by
//! less than an hour cuts it. Whatever the rules of a zone, periods follow each other without a gap
//! and never overlap.

use std::cell::Cell;

use jiff::{Timestamp, civil, tz};

use super::{Period, TimeZone};
use crate::time::{MAX_MICROS, Micros};

const HOUR: i64 = 3_600_000_000;
/// The number of results that each thread keeps. A request has few limits, and time moves slowly.
const KEPT: usize = 8;

/// The beginnings of a period, of the one before, and of the two after it, in microseconds. A
/// boundary before 1970 counts as 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Boundaries {
    pub previous: Micros,
    pub start: Micros,
    /// The end of the period, at which the next one begins.
    pub end: Micros,
    /// The end of the next period.
    pub next_end: Micros,
}

thread_local! {
    /// The latest results, each of some period and zone. A decision asks several times for the
    /// same, and the rules of a zone take longer than all else in it.
    static RECENT: [Cell<Option<(Period, TimeZone, Boundaries)>>; KEPT] =
        const { [const { Cell::new(None) }; KEPT] };
}

impl Boundaries {
    /// Returns the boundaries around `now`.
    #[must_use]
    #[inline]
    pub fn around(period: Period, zone: TimeZone, now: Micros) -> Self {
        RECENT.with(|recent| {
            let cell = &recent[(period as usize + usize::from(zone.index())) % KEPT];
            match cell.get() {
                Some((of, at, known)) if (of, at) == (period, zone) && known.contains(now) => known,
                _ => {
                    let found = Self::compute(period, zone.rules(), now);
                    cell.set(Some((period, zone, found)));
                    found
                }
            }
        })
    }

    /// Returns whether the period contains this moment.
    #[must_use]
    #[inline]
    pub fn contains(&self, moment: Micros) -> bool {
        self.start <= moment && moment < self.end
    }

    #[inline(never)]
    fn compute(period: Period, rules: &tz::TimeZone, now: Micros) -> Self {
        // `MAX_MICROS` is far above every date that a store has, and far below the last one that
        // jiff knows.
        let now = i64::try_from(now.min(MAX_MICROS)).unwrap_or(0);
        let (start, end) = period_at(period, rules, now);
        let (previous, _) = period_at(period, rules, start - 1);
        let (_, next_end) = period_at(period, rules, end);
        let micros = |moment: i64| Micros::try_from(moment).unwrap_or(0);
        Self {
            previous: micros(previous),
            start: micros(start),
            end: micros(end),
            next_end: micros(next_end),
        }
    }
}

/// Returns the beginning and the end of the period that contains `now`.
fn period_at(period: Period, rules: &tz::TimeZone, now: i64) -> (i64, i64) {
    if period == Period::Hour {
        return hour_at(rules, now);
    }
    let day = rules.to_datetime(timestamp(now)).date();
    let mut first = period.first_day(day);
    let mut start = midnight(rules, first);
    let mut after = period.after(first);
    let mut end = midnight(rules, after);
    // The date goes back with clocks that go back over midnight, but the next day has begun.
    while end <= now && after > first {
        (first, start) = (after, end);
        after = period.after(first);
        end = midnight(rules, after);
    }
    // The day begins later than its date if a clock change leaves midnight out.
    while now < start {
        let before = period.first_day(first.yesterday().unwrap_or(first));
        if before == first {
            break;
        }
        (first, end) = (before, start);
        start = midnight(rules, first);
    }
    (start, end)
}

fn midnight(rules: &tz::TimeZone, day: civil::Date) -> i64 {
    let midnight = day.to_datetime(civil::Time::midnight());
    let moment = rules.to_timestamp(midnight).unwrap_or(Timestamp::MAX);
    moment.as_microsecond()
}

/// Returns the hour of the local clock, cut by a clock change that moves its minutes.
fn hour_at(rules: &tz::TimeZone, now: i64) -> (i64, i64) {
    let offset = |moment| i64::from(rules.to_offset(timestamp(moment)).seconds()) * 1_000_000;
    let minutes = |moment| offset(moment).rem_euclid(HOUR);
    let start = now - (now + offset(now)).rem_euclid(HOUR);
    let end = start + HOUR;
    let start = if minutes(start) == minutes(now) {
        start
    } else {
        let mut changes = rules.preceding(timestamp(now + 1));
        changes
            .next()
            .map_or(start, |change| change.timestamp().as_microsecond())
    };
    let end = if minutes(end - 1) == minutes(now) {
        end
    } else {
        let mut changes = rules.following(timestamp(now));
        changes
            .next()
            .map_or(end, |change| change.timestamp().as_microsecond())
    };
    (start, end)
}

fn timestamp(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(micros).unwrap_or(Timestamp::MAX)
}
