//! Random groups of limits, and random traffic on them.

use std::time::Duration;

use actix_throttle_core::{
    limit::{Algorithm, AnyLimit, Concurrency, Limit, Refill},
    time::Micros,
};
use proptest::{collection::vec, option, prelude::*, sample::Index};

pub(super) const SECOND: Micros = 1_000_000;
/// Zones of the limits, so that no two of them share a counter. The first two share their blocks.
pub(super) const ZONES: [&str; 5] = ["a", "a", "b", "c", "d"];
pub(super) const LIMITS: usize = ZONES.len();
pub(super) const IDENTITIES: [&str; 3] = ["ann", "bob", "cid"];

/// A group of limits under random traffic.
#[derive(Clone, Debug)]
pub(super) struct Traffic {
    pub(super) limits: Vec<AnyLimit>,
    pub(super) steps: Vec<Step>,
}

/// A check of some of the limits, after the clock has moved.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) gap: Gap,
    pub(super) identity: usize,
    pub(super) action: Action,
    /// The limits that are checked, and the cost for each.
    pub(super) costs: [Option<u32>; LIMITS],
    pub(super) permit_id: u64,
    pub(super) in_turn: bool,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Gap {
    None,
    Forward(Micros),
    Backward(Micros),
}

#[derive(Clone, Debug)]
pub(super) enum Action {
    Charge,
    ChargeForReceipts,
    Peek,
    Lease,
    Renew,
    /// Refunds one of the charges that have receipts.
    Refund(Index),
}

/// The lengths of blocks that get longer with each offence.
const STEPS: [Duration; 3] = [
    Duration::from_millis(300),
    Duration::from_secs(1),
    Duration::from_secs(4),
];

pub(super) fn gap() -> impl Strategy<Value = Gap> {
    prop_oneof![
        3 => Just(Gap::None),
        4 => (1..SECOND / 2).prop_map(Gap::Forward),
        2 => (1..20 * SECOND).prop_map(Gap::Forward),
        1 => (1..SECOND / 2).prop_map(Gap::Backward),
        1 => (1..20 * SECOND).prop_map(Gap::Backward),
    ]
}

pub(super) fn rate(index: usize) -> impl Strategy<Value = Limit> {
    let algorithm = prop_oneof![
        Just((Algorithm::SlidingWindow, None)),
        Just((Algorithm::SlidingWindowCounter, None)),
        Just((Algorithm::FixedWindow, None)),
        Just((Algorithm::TokenBucket, Some(Refill::Greedy))),
        Just((Algorithm::TokenBucket, Some(Refill::Interval))),
        Just((Algorithm::LeakyBucket, None)),
    ];
    // The first two have windows of different parity, as they share a zone.
    let window = (1..5 * SECOND).prop_map(move |half| 2 * half + (index as Micros & 1) + 1_000);
    let block = option::weighted(0.3, 1..5_000_u64);
    let numbers = (1..12_u32, window, 1..20_u32, block, any::<bool>());
    (algorithm, numbers, any::<bool>()).prop_map(
        move |((algorithm, refill), (times, window, capacity, block, escalates), shadow)| {
            let window = Duration::from_micros(window);
            let mut limit = Limit::new(times, window).zone(ZONES[index]);
            limit = limit.algorithm(algorithm);
            if let Some(refill) = refill {
                limit = limit.refill(refill).capacity(capacity);
            }
            if let Some(block) = block {
                limit = if escalates {
                    limit.block_steps(&STEPS)
                } else {
                    limit.block(Duration::from_millis(block))
                };
            }
            if shadow { limit.shadow() } else { limit }
        },
    )
}

fn any_limit(index: usize) -> impl Strategy<Value = AnyLimit> {
    let permits = (1..4_u32, 100..5_000_u64, any::<bool>());
    let permits = permits.prop_map(move |(max, expiry, shadow)| {
        let limit = Concurrency::new(max).zone(ZONES[index]);
        let limit = limit.expiry(Duration::from_millis(expiry));
        AnyLimit::Concurrency(if shadow { limit.shadow() } else { limit })
    });
    // Only the last two may be concurrency limits: those that share a zone would share permits.
    let rate = rate(index).prop_map(AnyLimit::Rate);
    if index < LIMITS - 2 {
        rate.boxed()
    } else {
        prop_oneof![3 => rate, 2 => permits].boxed()
    }
}

fn limits() -> impl Strategy<Value = Vec<AnyLimit>> {
    let all: Vec<_> = (0..LIMITS).map(|index| any_limit(index).boxed()).collect();
    (all, 1..=LIMITS).prop_map(|(mut limits, count)| {
        limits.rotate_left(LIMITS - count);
        limits.truncate(count);
        limits
    })
}

fn step() -> impl Strategy<Value = Step> {
    let action = prop_oneof![
        4 => Just(Action::Charge),
        4 => Just(Action::ChargeForReceipts),
        1 => Just(Action::Peek),
        1 => Just(Action::Lease),
        1 => Just(Action::Renew),
        2 => any::<Index>().prop_map(Action::Refund),
    ];
    let cost = || option::weighted(0.6, prop_oneof![3 => Just(1), 1 => 0..15_u32]);
    let costs = [cost(), cost(), cost(), cost(), cost()];
    let identity = 0..IDENTITIES.len();
    (gap(), identity, action, costs, 0..6_u64, any::<bool>()).prop_map(
        |(gap, identity, action, costs, permit_id, in_turn)| Step {
            gap,
            identity,
            action,
            costs,
            permit_id,
            in_turn,
        },
    )
}

pub(super) fn traffic() -> impl Strategy<Value = Traffic> {
    (limits(), vec(step(), 1..60)).prop_map(|(limits, steps)| Traffic { limits, steps })
}
