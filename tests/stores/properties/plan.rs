//! Random plans: limits over the whole range of their numbers, with random costs and gaps.

use std::time::Duration;

use actix_throttle::{Algorithm, Limit, Period, Refill};
use proptest::prelude::*;

pub(super) const DAY: u64 = 24 * 60 * 60 * 1_000_000;
/// The zones of stacked limits, one each, so that no two of them share a counter.
pub(super) const ZONES: [&str; 4] = ["a", "b", "c", "d"];

#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) limits: Vec<(Limit, Refill)>,
    pub(super) steps: Vec<Step>,
}

/// A gap and then a request with a cost for each limit.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) gap: Gap,
    pub(super) costs: [Cost; 4],
    /// Whether the request has waited for its turn.
    pub(super) in_turn: bool,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Gap {
    Micros(u64),
    /// This many 256ths of the first limit's window.
    OfWindow(u64),
    /// The wait of the latest decision, less this many microseconds.
    Retry(u64),
    /// The wait of the latest decision, plus this many microseconds.
    Late(u64),
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Cost {
    Units(u32),
    /// This many 16ths of the limit's quota.
    OfQuota(u32),
}

/// Numbers spread evenly over the orders of magnitude; both ends are included.
pub(super) fn magnitude(low: u64, high: u64) -> impl Strategy<Value = u64> {
    let (from, to) = ((low as f64).ln(), (high as f64).ln());
    prop_oneof![
        1 => Just(low),
        1 => Just(high),
        8 => (0.0..=1.0f64)
            .prop_map(move |part| ((from + part * (to - from)).exp() as u64).clamp(low, high)),
    ]
}

pub(super) fn limit() -> impl Strategy<Value = (Limit, Refill)> {
    prop_oneof![
        6 => windowed(),
        1 => by_calendar().prop_map(|limit| (limit, Refill::Greedy)),
    ]
}

/// Limits by the calendar, in zones with whole and other offsets, and with clock changes by an hour
/// and by half of one, at midnight and at other times.
pub(super) fn by_calendar() -> impl Strategy<Value = Limit> {
    let period = prop::sample::select(vec![
        Period::Hour,
        Period::Day,
        Period::Week,
        Period::Month,
        Period::Year,
    ]);
    let zone = prop::sample::select(vec![
        "UTC",
        "Europe/Berlin",
        "America/New_York",
        "America/Havana",
        "Africa/Cairo",
        "Asia/Kolkata",
        "Australia/Lord_Howe",
        "Pacific/Kiritimati",
    ]);
    let numbers = (period, magnitude(1, 1_000_000_000), zone);
    numbers.prop_map(|(period, times, zone)| {
        let limit = Limit::every(period, times as u32).time_zone(zone);
        assert_eq!(limit.validate(), Ok(()));
        limit
    })
}

pub(super) fn windowed() -> impl Strategy<Value = (Limit, Refill)> {
    let algorithm = prop_oneof![
        Just((Algorithm::SlidingWindow, Refill::Greedy)),
        Just((Algorithm::SlidingWindowCounter, Refill::Greedy)),
        Just((Algorithm::FixedWindow, Refill::Greedy)),
        Just((Algorithm::TokenBucket, Refill::Greedy)),
        Just((Algorithm::TokenBucket, Refill::Interval)),
        Just((Algorithm::LeakyBucket, Refill::Greedy)),
    ];
    let numbers = (
        magnitude(1, 1_000_000_000),
        magnitude(1_000, 366 * DAY),
        magnitude(1, 1_000_000_000),
    );
    (algorithm, numbers).prop_map(|((algorithm, refill), (times, window, capacity))| {
        let most = match algorithm {
            Algorithm::SlidingWindow => 1_000_000,
            Algorithm::TokenBucket | Algorithm::LeakyBucket => window.min(1_000_000_000),
            _ => 1_000_000_000,
        };
        let times = times.min(most) as u32;
        let limit = Limit::new(times, Duration::from_micros(window)).algorithm(algorithm);
        let limit = match algorithm {
            Algorithm::TokenBucket => limit.capacity(capacity as u32).refill(refill),
            _ => limit,
        };
        assert_eq!(limit.validate(), Ok(()));
        (limit, refill)
    })
}

pub(super) fn plan() -> impl Strategy<Value = Plan> {
    let gap = prop_oneof![
        3 => (0u64..3).prop_map(Gap::Micros),
        2 => magnitude(1, 366 * DAY).prop_map(Gap::Micros),
        4 => (0u64..=300).prop_map(Gap::OfWindow),
        3 => (0u64..2).prop_map(Gap::Retry),
        2 => magnitude(1, 150_000).prop_map(Gap::Late),
    ];
    let cost = || {
        prop_oneof![
            4 => Just(Cost::Units(1)),
            1 => Just(Cost::Units(0)),
            2 => (1u32..5).prop_map(Cost::Units),
            4 => (1u32..=17).prop_map(Cost::OfQuota),
        ]
    };
    let step = (gap, [cost(), cost(), cost(), cost()], any::<bool>());
    let step = step.prop_map(|(gap, costs, in_turn)| Step {
        gap,
        costs,
        in_turn,
    });
    (
        prop::collection::vec(limit(), 1..=4),
        prop::collection::vec(step, 1..40),
    )
        .prop_map(|(limits, steps)| Plan { limits, steps })
}
