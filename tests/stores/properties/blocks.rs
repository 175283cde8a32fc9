//! Random offences: every store blocks for as long as a plain history of the blocks says.

use std::time::Duration;

use actix_throttle::{Limit, ManualClock};
use proptest::prelude::*;

use super::{FEW, for_random_plans, micros};
use harness::{
    ServerVersion,
    stores::{StoreFixture, StoreKind, unique},
};

const SECOND: u64 = 1_000_000;
/// Lists that begin with other lists, so that a changed list is one that is likely.
const LISTS: [&[Duration]; 4] = [
    &[Duration::from_secs(2), Duration::from_secs(5)],
    &[
        Duration::from_secs(2),
        Duration::from_secs(5),
        Duration::from_secs(5),
        Duration::from_secs(30),
    ],
    &[Duration::from_millis(1), Duration::from_secs(40)],
    &[Duration::from_secs(7), Duration::from_secs(7)],
];

#[derive(Clone, Debug)]
struct Plan {
    list: usize,
    times: u32,
    /// Gaps in microseconds, or to the end of the block and less or more than that, before each
    /// request.
    gaps: Vec<Gap>,
}

#[derive(Clone, Copy, Debug)]
enum Gap {
    Micros(u64),
    AfterBlock(u64),
    /// After the offences are forgotten, or so many microseconds before.
    Forgotten(u64),
}

fn plan() -> impl Strategy<Value = Plan> {
    let gap = prop_oneof![
        6 => Just(Gap::Micros(0)),
        2 => (0..3 * SECOND).prop_map(Gap::Micros),
        4 => (0..2_u64).prop_map(Gap::AfterBlock),
        2 => (0..50 * SECOND).prop_map(Gap::AfterBlock),
        2 => (0..2_u64).prop_map(Gap::Forgotten),
    ];
    (0..LISTS.len(), 1..3_u32, prop::collection::vec(gap, 1..60))
        .prop_map(|(list, times, gaps)| Plan { list, times, gaps })
}

/// The blocks of one identity, each with its beginning and end.
#[derive(Debug, Default)]
struct History(Vec<(u64, u64)>);

impl History {
    fn until(&self) -> u64 {
        self.0.last().map_or(0, |(_, until)| *until)
    }

    /// The length of a block that starts now: by the number of blocks before it between which
    /// there was never as long a pause as the longest.
    fn next(&self, steps: &[Duration], now: u64) -> u64 {
        let longest = steps.last().copied().map_or(0, micros);
        let (mut offences, mut begin) = (0, now);
        for (start, until) in self.0.iter().rev() {
            if begin >= until + longest {
                break;
            }
            (offences, begin) = (offences + 1, *start);
        }
        micros(steps[offences.min(steps.len() - 1)])
    }
}

async fn follow(store: &StoreFixture, plan: &Plan) {
    store.clock.set(ManualClock::new().now());
    let steps = LISTS[plan.list];
    let longest = steps.last().copied().map_or(0, micros);
    let limit = Limit::per_second(plan.times).block_steps(steps);
    let identity = unique("user");
    let mut history = History::default();
    let mut admissions: Vec<u64> = Vec::new();
    for gap in &plan.gaps {
        let now = micros(store.clock.now());
        store.advance(match *gap {
            Gap::Micros(gap) => gap,
            Gap::AfterBlock(more) => history.until().saturating_sub(now) + more,
            Gap::Forgotten(less) => (history.until() + longest).saturating_sub(now + less),
        });
        let now = micros(store.clock.now());
        let decision = store
            .limiter
            .check(&limit, identity.as_str())
            .await
            .unwrap();
        let status = &decision.limits()[0];
        let in_window = admissions.iter().filter(|at| now - **at < SECOND);
        let has_room = in_window.count() < plan.times as usize;
        if now >= history.until() && has_room {
            assert!(decision.is_allowed(), "{history:?} at {now}");
            admissions.push(now);
            continue;
        }
        if now >= history.until() {
            let length = history.next(steps, now);
            history.0.push((now, now + length));
        }
        assert!(
            !decision.is_allowed() && status.is_blocked(),
            "{history:?} at {now}"
        );
        // The window may last longer than a block of a millisecond.
        let left = history.until() - now;
        let wait = micros(status.retry_after().unwrap());
        assert!(
            wait == left || (wait > left && wait <= SECOND),
            "{history:?} at {now}: {wait}"
        );
    }
}

fn agree(kind: StoreKind, most: u32) {
    for_random_plans(kind, most, &plan(), async |store, plan| {
        follow(store, &plan).await;
    });
}

#[test]
fn memory_blocks_as_the_history_says() {
    agree(StoreKind::Memory, 1_500);
}

#[test]
fn redis_6_2_blocks_as_the_history_says() {
    agree(StoreKind::Server(ServerVersion::Redis62), FEW);
}

#[test]
fn redis_7_blocks_as_the_history_says() {
    agree(StoreKind::Server(ServerVersion::Redis7), 200);
}

#[test]
fn valkey_9_blocks_as_the_history_says() {
    agree(StoreKind::Server(ServerVersion::Valkey9), FEW);
}

#[test]
fn a_cluster_blocks_as_the_history_says() {
    agree(StoreKind::Cluster, FEW);
}

#[test]
fn clusters_with_open_slots_block_alike() {
    agree(StoreKind::OpenSlots(ServerVersion::Redis62), 30);
}
