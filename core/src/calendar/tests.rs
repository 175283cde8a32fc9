//! Tests of the boundaries of periods.

#[cfg(feature = "time-zones")]
mod zones;

use super::{Boundaries, Period, TimeZone};
use crate::text::word::Word;

const HOUR: u64 = 3_600_000_000;

/// The moment of a text such as `2026-11-29T06:00Z`, in microseconds.
fn at(text: &str) -> u64 {
    let moment: jiff::Timestamp = text.parse().expect(text);
    u64::try_from(moment.as_microsecond()).expect(text)
}

fn around(period: Period, zone: &str, now: u64) -> Boundaries {
    Boundaries::around(period, TimeZone::parse(zone).expect(zone), now)
}

/// Checks the period that contains `now`, and that it does from its first to its last microsecond.
fn check(period: Period, zone: &str, now: &str, start: &str, end: &str) {
    let found = around(period, zone, at(now));
    assert_eq!(
        (found.start, found.end),
        (at(start), at(end)),
        "{period} of {now} in {zone}"
    );
    for moment in [found.start, found.end - 1] {
        assert_eq!(
            around(period, zone, moment),
            found,
            "{period} of {now} in {zone}"
        );
    }
    assert_eq!(around(period, zone, found.end).start, found.end);
    assert_eq!(around(period, zone, found.end).end, found.next_end);
    assert_eq!(around(period, zone, found.start - 1).start, found.previous);
}

#[test]
fn periods_of_utc_are_those_of_the_calendar() {
    let utc = |period, now, start, end| check(period, "UTC", now, start, end);
    let now = "2026-11-29T06:05:04.000003Z";
    utc(Period::Hour, now, "2026-11-29T06:00Z", "2026-11-29T07:00Z");
    utc(Period::Day, now, "2026-11-29T00:00Z", "2026-11-30T00:00Z");
    // A Sunday.
    utc(Period::Week, now, "2026-11-23T00:00Z", "2026-11-30T00:00Z");
    utc(Period::Month, now, "2026-11-01T00:00Z", "2026-12-01T00:00Z");
    utc(Period::Year, now, "2026-01-01T00:00Z", "2027-01-01T00:00Z");
    // Leap days, and the century without one.
    utc(
        Period::Month,
        "2028-02-29T12:00Z",
        "2028-02-01T00:00Z",
        "2028-03-01T00:00Z",
    );
    utc(
        Period::Day,
        "2028-02-29T12:00Z",
        "2028-02-29T00:00Z",
        "2028-03-01T00:00Z",
    );
    utc(
        Period::Month,
        "2100-02-28T23:59Z",
        "2100-02-01T00:00Z",
        "2100-03-01T00:00Z",
    );
    utc(
        Period::Year,
        "2028-12-31T23:59Z",
        "2028-01-01T00:00Z",
        "2029-01-01T00:00Z",
    );
    // A week across the turn of the year.
    utc(
        Period::Week,
        "2027-01-01T00:00Z",
        "2026-12-28T00:00Z",
        "2027-01-04T00:00Z",
    );
    // January's last day is no day of February.
    utc(
        Period::Month,
        "2026-01-31T23:00Z",
        "2026-01-01T00:00Z",
        "2026-02-01T00:00Z",
    );
}

#[test]
fn moments_outside_of_all_dates_have_a_period() {
    for period in Period::ALL {
        let first = around(*period, "UTC", 0);
        assert!(first.contains(0), "{period}");
        assert!(first.previous <= first.start);
        for now in [u64::MAX, crate::time::MAX_MICROS] {
            let last = around(*period, "UTC", now);
            assert!(
                last.start < last.end && last.end < last.next_end,
                "{period}"
            );
        }
    }
}
