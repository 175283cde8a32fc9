//! Random charges that are refunded or settled later, by their receipts.

use actix_throttle::{Limit, LimitStatus};
use proptest::prelude::*;

use super::{
    micros,
    plan::{Cost, DAY, magnitude},
};
use harness::stores::StoreFixture;
use test_model::Answer;

/// One step of a plan: time passes, and then there is a charge or what becomes of one.
#[derive(Clone, Debug)]
pub(super) struct Step<A> {
    pub(super) gap: Gap,
    pub(super) action: A,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Gap {
    Micros(u64),
    /// This many 16384ths of the window, so that refunds and settlements come in time.
    OfWindow(u64),
}

/// Fewer than `most` steps. `late` weighs gaps of up to a whole window and a little more: the
/// others weigh nine together.
pub(super) fn steps<A: std::fmt::Debug>(
    late: u32,
    action: impl Strategy<Value = A>,
    most: usize,
) -> impl Strategy<Value = Vec<Step<A>>> {
    let gap = prop_oneof![
        4 => (0u64..3).prop_map(Gap::Micros),
        1 => magnitude(1, 366 * DAY).prop_map(Gap::Micros),
        4 => (0u64..=256).prop_map(Gap::OfWindow),
        late => (0u64..=20_000).prop_map(Gap::OfWindow),
    ];
    let step = (gap, action).prop_map(|(gap, action)| Step { gap, action });
    prop::collection::vec(step, 1..most)
}

/// The cost of a charge: a few units, or as many 16ths of the quota.
pub(super) fn cost() -> impl Strategy<Value = Cost> {
    prop_oneof![
        (1u32..4).prop_map(Cost::Units),
        (1u32..=9).prop_map(Cost::OfQuota),
    ]
}

/// Lets the time before a step pass, and returns the time after it.
pub(super) fn pass(store: &StoreFixture, gap: Gap, limit: &Limit) -> u64 {
    store.advance(match gap {
        Gap::Micros(gap) => gap,
        Gap::OfWindow(part) => limit.window_micros() / 16384 * part,
    });
    micros(store.clock.now())
}

/// The store's numbers: the remaining quota, and the times until all and until more of it is
/// available.
pub(super) fn said(status: &LimitStatus) -> (u64, u64, u64) {
    (
        status.remaining().into(),
        micros(status.reset_after()),
        status.more_after().map_or(0, micros),
    )
}

/// The model's numbers, in the form of [`said`].
pub(super) fn expected(answer: &Answer) -> (u64, u64, u64) {
    (answer.remaining, answer.reset, answer.more)
}
