//! Tests of limits: their checks, and limits that replace the written one.

use std::time::Duration;

use super::{range::Subject, *};
use crate::calendar::Period;

const WRITTEN: Limit = Limit::per_minute(100)
    .algorithm(Algorithm::FixedWindow)
    .lease(50);

#[test]
fn a_written_lease_passes_to_the_chosen_limit() {
    let chosen = Limit::per_minute(10).fill_from(&WRITTEN);
    assert_eq!(chosen.lease, Some(50), "more than it admits: capped later");
    assert_eq!(chosen.validate(), Ok(()));
    let chosen = Limit::per_minute(10).lease(5).fill_from(&WRITTEN);
    assert_eq!(chosen.lease, Some(5), "its own comes first");
    let bare = Limit::per_minute(10).fill_from(&Limit::per_minute(5));
    assert_eq!(bare.lease, None);
}

#[test]
fn a_written_lease_never_makes_the_chosen_limit_invalid() {
    for algorithm in [
        Algorithm::SlidingWindow,
        Algorithm::SlidingWindowCounter,
        Algorithm::FixedWindow,
        Algorithm::TokenBucket,
        Algorithm::LeakyBucket,
    ] {
        let chosen = Limit::per_minute(10).algorithm(algorithm);
        let chosen = chosen.fill_from(&WRITTEN);
        assert_eq!(chosen.validate(), Ok(()), "{algorithm:?}");
        let leased = algorithm != Algorithm::LeakyBucket;
        assert_eq!(chosen.lease.is_some(), leased, "{algorithm:?}");
    }
}

#[test]
fn an_error_says_which_setting_it_is_about() {
    let limit = Limit::per_minute(100);
    let bucket = limit.algorithm(Algorithm::TokenBucket);
    for (limit, subject) in [
        (Limit::per_minute(0), Subject::Times),
        (Limit::per_hour(2_000_000), Subject::Times),
        (
            Limit::per_second(2_000_000).algorithm(Algorithm::LeakyBucket),
            Subject::Times,
        ),
        (Limit::new(1, Duration::ZERO), Subject::Window),
        (limit.capacity(5), Subject::Capacity),
        (bucket.capacity(0), Subject::Capacity),
        (limit.refill(Refill::Greedy), Subject::Refill),
        (limit.lease(1), Subject::Lease),
        (
            limit.algorithm(Algorithm::LeakyBucket).lease(5),
            Subject::Lease,
        ),
        (limit.block(Duration::ZERO), Subject::Block),
        (limit.block_steps(&[]), Subject::Block),
        (
            limit.block_steps(const { &[Duration::from_secs(1); 17] }),
            Subject::Block,
        ),
        (
            limit.block_steps(const { &[Duration::from_secs(2), Duration::from_secs(1)] }),
            Subject::Block,
        ),
        (limit.time_zone("UTC"), Subject::TimeZone),
        (Limit::every(Period::Day, 0), Subject::Times),
        (
            Limit::every(Period::Day, 1).time_zone("nowhere"),
            Subject::TimeZone,
        ),
        (
            Limit::every(Period::Day, 1).algorithm(Algorithm::FixedWindow),
            Subject::Algorithm,
        ),
        (Limit::every(Period::Day, 1).capacity(1), Subject::Capacity),
        (
            Limit::every(Period::Day, 1).refill(Refill::Greedy),
            Subject::Refill,
        ),
        (limit.name("ö"), Subject::Name),
        (limit.zone(""), Subject::Zone),
    ] {
        let error = limit.validate().map_err(LimitError::subject);
        assert_eq!(error, Err(subject), "{limit:?}");
    }
    let cost = bucket.capacity(5).cost(6).validate_cost();
    assert_eq!(cost.map_err(LimitError::subject), Err(Subject::Cost));
    assert_eq!(bucket.capacity(5).cost(5).validate_cost(), Ok(()));
}

#[test]
fn limits_share_a_counter_whatever_they_admit() {
    let limit = Limit::per_minute(100);
    assert!(limit.shares_counter_with(&Limit::per_minute(5).name("default").lease(2)));
    for other in [
        Limit::per_second(100),
        limit.algorithm(Algorithm::FixedWindow),
        Limit::every(Period::Day, 100),
        limit.shadow(),
        limit.zone("other"),
    ] {
        assert!(!limit.shares_counter_with(&other), "{other:?}");
    }
    let period = Limit::every(Period::Day, 100);
    assert!(period.shares_counter_with(&Limit::every(Period::Day, 5).time_zone("UTC")));
    assert!(!period.shares_counter_with(&Limit::every(Period::Week, 100)));
}

/// Decisions copy limits, so a limit should not grow unnoticed.
#[test]
fn a_limit_is_thirteen_words() {
    assert!(size_of::<Limit>() <= 13 * 8, "{}", size_of::<Limit>());
}

#[test]
fn a_chosen_period_takes_the_written_zone_and_no_algorithm() {
    let written = Limit::every(Period::Day, 100).time_zone("UTC").lease(5);
    let chosen = Limit::every(Period::Month, 10).fill_from(&written);
    assert_eq!(chosen.validate(), Ok(()));
    assert_eq!(
        (chosen.time_zone, chosen.lease),
        (written.time_zone, Some(5))
    );
    let chosen = Limit::every(Period::Month, 10).fill_from(&WRITTEN);
    assert_eq!(chosen.validate(), Ok(()));
    let chosen = Limit::per_minute(10).fill_from(&written);
    assert_eq!(chosen.validate(), Ok(()));
    assert_eq!(chosen.period(), None);
}
