//! A look at the offences that a block remembers.

use std::time::Duration;

use actix_throttle::{Limit, LimitUsage, Offences, UsageState};

use super::super::{SECOND, check, for_every_store};
use harness::stores::StoreFixture;

for_every_store!(
    peek_shows_the_step_of_a_block_and_what_the_next_one_is,
    peek_shows_offences_until_they_are_forgotten,
    block_by_hand_shows_the_offences_before_it,
    blocks_of_one_length_have_no_offences,
);

const STEPS: &[Duration] = &[
    Duration::from_secs(10),
    Duration::from_secs(60),
    Duration::from_secs(600),
];
const LOGIN: Limit = Limit::per_second(1).zone("login").block_steps(STEPS);

/// Exceeds the limit.
async fn offend(store: &StoreFixture) {
    assert!(check(store, &LOGIN, "ann").await.is_allowed());
    let denied = check(store, &LOGIN, "ann").await;
    assert!(denied.limits()[0].is_blocked());
}

/// The entry of the block, if there is one.
async fn block(store: &StoreFixture) -> Option<LimitUsage> {
    let usage = store.limiter.peek_identity("ann").await.unwrap();
    let mut blocks = usage.limits().iter().filter(|usage| {
        let is_block = matches!(
            usage.state(),
            UsageState::Blocked { .. } | UsageState::BlockEnded
        );
        assert!(is_block || usage.offences().is_none(), "{usage:?}");
        is_block
    });
    let block = blocks.next().cloned();
    assert_eq!(blocks.next(), None);
    block
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn assert_offences(found: &LimitUsage, count: u32, next: u64, forgotten_after: u64) {
    let Offences {
        count: found_count,
        steps,
        next_block,
        forgotten_after: left,
        ..
    } = found.offences().expect("they are remembered");
    assert_eq!((found_count, steps), (count, 3), "{found:?}");
    assert_eq!(next_block, seconds(next), "{found:?}");
    assert_eq!(left, seconds(forgotten_after), "{found:?}");
}

async fn peek_shows_the_step_of_a_block_and_what_the_next_one_is(store: &StoreFixture) {
    for (count, length, next) in [(1, 10, 60), (2, 60, 600), (3, 600, 600), (4, 600, 600)] {
        offend(store).await;
        let found = block(store).await.expect("a block");
        assert!(found.is_of(&LOGIN));
        let left = seconds(length);
        assert_eq!(found.state(), UsageState::Blocked { left });
        assert_offences(&found, count, next, length + 600);
        store.advance(SECOND);
        let found = block(store).await.expect("a block");
        let left = seconds(length - 1);
        assert_eq!(found.state(), UsageState::Blocked { left });
        assert_offences(&found, count, next, length + 599);
        store.advance((length - 1) * SECOND);
    }
}

async fn peek_shows_offences_until_they_are_forgotten(store: &StoreFixture) {
    offend(store).await;
    store.advance(10 * SECOND);
    let found = block(store).await.expect("its offence is remembered");
    assert_eq!(found.state(), UsageState::BlockEnded);
    assert!(found.is_of(&LOGIN));
    assert_offences(&found, 1, 60, 600);
    store.advance(599 * SECOND);
    assert_offences(&block(store).await.expect("it is"), 1, 60, 1);
    store.advance(SECOND);
    assert_eq!(block(store).await, None);
    offend(store).await;
    store.limiter.unblock(&LOGIN, "ann").await.unwrap();
    assert_eq!(block(store).await, None);
}

async fn block_by_hand_shows_the_offences_before_it(store: &StoreFixture) {
    offend(store).await;
    let hour = seconds(3_600);
    store.limiter.block(&LOGIN, "ann", hour).await.unwrap();
    let found = block(store).await.expect("a block");
    assert_eq!(found.state(), UsageState::Blocked { left: hour });
    assert_offences(&found, 1, 60, 3_600);
    store.limiter.unblock(&LOGIN, "ann").await.unwrap();
    store.advance(SECOND);
    offend(store).await;
    let length = seconds(5);
    store.limiter.block(&LOGIN, "ann", length).await.unwrap();
    assert_offences(&block(store).await.expect("a block"), 1, 60, 610);
    store.advance(10 * SECOND);
    offend(store).await;
    assert_offences(&block(store).await.expect("a block"), 2, 600, 660);
}

async fn blocks_of_one_length_have_no_offences(store: &StoreFixture) {
    let plain = Limit::per_second(1).zone("login").block(seconds(10));
    for _ in 0..2 {
        check(store, &plain, "ann").await;
    }
    let found = block(store).await.expect("a block");
    assert_eq!(found.offences(), None);
    store.advance(10 * SECOND);
    assert_eq!(block(store).await, None);
}
