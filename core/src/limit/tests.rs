//! Tests of the limit that a function returns in place of the written one.

use super::*;

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
