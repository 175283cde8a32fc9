//! Blocks that get longer with each further offence.

use std::time::Duration;

use actix_throttle::Limit;

use super::{SECOND, admitted_at_once, check, for_every_store, wait};
use harness::stores::StoreFixture;

for_every_store!(
    each_further_offence_takes_the_next_length,
    offences_are_forgotten_after_the_longest_length_without,
    denials_during_a_block_are_no_offences,
    two_limits_of_one_decision_are_one_offence,
    limits_of_one_length_count_and_forget_none,
    blocks_by_hand_are_no_offences,
    unblocking_and_resetting_forget,
    a_shadow_escalates_by_itself,
    a_changed_list_is_read_under_the_count,
    a_clock_that_steps_back_forgets_the_future,
);

const STEPS: &[Duration] = &[
    Duration::from_secs(10),
    Duration::from_secs(60),
    Duration::from_secs(600),
];

/// Exceeds the limit, which must not be blocked, and returns the seconds of the block.
async fn offend(store: &StoreFixture, limit: &Limit) -> u64 {
    assert!(check(store, limit, "ann").await.is_allowed(), "{limit:?}");
    let denied = check(store, limit, "ann").await;
    let status = &denied.limits()[0];
    assert!(status.is_blocked() && !denied.is_allowed());
    assert_eq!(denied.retry_after(), Some(status.reset_after()));
    status.reset_after().as_secs()
}

/// Offends at the end of each block in turn, and returns the lengths of the blocks.
async fn offend_at_each_end(store: &StoreFixture, limit: &Limit, count: usize) -> Vec<u64> {
    let mut lengths = Vec::new();
    for _ in 0..count {
        let length = offend(store, limit).await;
        lengths.push(length);
        store.advance(length * SECOND);
    }
    lengths
}

async fn each_further_offence_takes_the_next_length(store: &StoreFixture) {
    let limit = Limit::per_second(1).block_steps(STEPS);
    let lengths = offend_at_each_end(store, &limit, 5).await;
    assert_eq!(lengths, [10, 60, 600, 600, 600]);
    // Other identities have their own count.
    let bob = check(store, &limit, "bob").await;
    assert!(bob.is_allowed());
    check(store, &limit, "bob").await;
    assert_eq!(wait(store, &limit, "bob").await, 10 * SECOND);
    // A block is as exact as any other.
    store.advance(10 * SECOND - 1);
    assert_eq!(wait(store, &limit, "bob").await, 1);
    store.advance(1);
    assert!(check(store, &limit, "bob").await.is_allowed());
}

async fn offences_are_forgotten_after_the_longest_length_without(store: &StoreFixture) {
    let limit = Limit::per_second(1).block_steps(STEPS);
    assert_eq!(offend_at_each_end(store, &limit, 2).await, [10, 60]);
    store.advance(600 * SECOND - 1);
    assert_eq!(offend(store, &limit).await, 600);
    store.advance(600 * SECOND + 600 * SECOND);
    assert_eq!(offend_at_each_end(store, &limit, 2).await, [10, 60]);
}

async fn denials_during_a_block_are_no_offences(store: &StoreFixture) {
    let limit = Limit::per_second(1).block_steps(STEPS);
    assert_eq!(offend(store, &limit).await, 10);
    for _ in 0..9 {
        store.advance(SECOND);
        assert!(!check(store, &limit, "ann").await.is_allowed());
    }
    assert_eq!(wait(store, &limit, "ann").await, SECOND);
    store.advance(SECOND);
    // Looks are none, either, and costs that never fit.
    assert!(check(store, &limit.cost(2), "ann").await.exceeds_capacity());
    assert_eq!(offend(store, &limit).await, 60);
}

async fn two_limits_of_one_decision_are_one_offence(store: &StoreFixture) {
    let one = Limit::per_second(1).zone("z").block_steps(STEPS);
    let other = Limit::per_minute(1).zone("z").block_steps(STEPS);
    let both = [(&one, "ann"), (&other, "ann")];
    let ask = async || store.limiter.check_all(&both).await.unwrap();
    assert!(ask().await.is_allowed());
    let denied = ask().await;
    assert!(denied.limits().iter().all(|status| status.is_blocked()));
    assert_eq!(denied.limits()[0].retry_after(), Some(STEPS[0]));
    store.advance(60 * SECOND);
    assert!(ask().await.is_allowed());
    let denied = ask().await;
    assert_eq!(denied.limits()[0].retry_after(), Some(STEPS[1]));
    assert_eq!(denied.limits()[1].retry_after(), Some(STEPS[1]));
}

async fn limits_of_one_length_count_and_forget_none(store: &StoreFixture) {
    let steps = Limit::per_second(1).zone("z").block_steps(STEPS);
    let plain = Limit::per_minute(1)
        .zone("z")
        .block(Duration::from_secs(60));
    assert_eq!(offend(store, &plain).await, 60);
    store.advance(60 * SECOND);
    assert_eq!(offend_at_each_end(store, &steps, 1).await, [10]);
    assert_eq!(offend(store, &plain).await, 60);
    store.advance(60 * SECOND);
    assert_eq!(offend_at_each_end(store, &steps, 2).await, [60, 600]);
    // A list of one length is one length.
    let single = Limit::per_second(1).zone("single").block_steps(&STEPS[..1]);
    assert_eq!(offend_at_each_end(store, &single, 3).await, [10, 10, 10]);
}

async fn blocks_by_hand_are_no_offences(store: &StoreFixture) {
    let limit = Limit::per_second(1).block_steps(STEPS);
    let by_hand = Duration::from_secs(5);
    store.limiter.block(&limit, "ann", by_hand).await.unwrap();
    store.advance(5 * SECOND);
    assert_eq!(offend_at_each_end(store, &limit, 1).await, [10]);
    store.limiter.block(&limit, "ann", by_hand).await.unwrap();
    assert_eq!(wait(store, &limit, "ann").await, 5 * SECOND);
    store.advance(5 * SECOND);
    assert_eq!(offend_at_each_end(store, &limit, 1).await, [60]);
}

async fn unblocking_and_resetting_forget(store: &StoreFixture) {
    let limit = Limit::per_second(1).block_steps(STEPS);
    assert_eq!(offend_at_each_end(store, &limit, 1).await, [10]);
    assert_eq!(offend(store, &limit).await, 60);
    store.limiter.unblock(&limit, "ann").await.unwrap();
    store.advance(SECOND);
    assert_eq!(offend_at_each_end(store, &limit, 1).await, [10]);
    store.limiter.reset(&limit, "ann").await.unwrap();
    assert_eq!(offend(store, &limit).await, 10);
}

async fn a_shadow_escalates_by_itself(store: &StoreFixture) {
    let enforced = Limit::per_second(1).block_steps(STEPS);
    let shadow = enforced.shadow();
    for expected in [10, 60, 600] {
        assert_eq!(admitted_at_once(store, &shadow, "ann", 3).await, 3);
        let peeked = store.limiter.peek(&shadow, "ann").await.unwrap();
        assert_eq!(peeked.limits()[0].reset_after().as_secs(), expected);
        store.advance(expected * SECOND);
    }
    assert_eq!(offend(store, &enforced).await, 10);
}

async fn a_changed_list_is_read_under_the_count(store: &StoreFixture) {
    let limit = Limit::per_second(1);
    let long = limit.block_steps(STEPS);
    assert_eq!(offend_at_each_end(store, &long, 2).await, [10, 60]);
    // The third offence is the last step of a shorter list.
    let short = limit.block_steps(&STEPS[..2]);
    assert_eq!(offend_at_each_end(store, &short, 1).await, [60]);
    assert_eq!(offend_at_each_end(store, &long, 1).await, [600]);
}

async fn a_clock_that_steps_back_forgets_the_future(store: &StoreFixture) {
    let limit = Limit::per_second(1).block_steps(STEPS);
    assert_eq!(offend_at_each_end(store, &limit, 1).await, [10]);
    assert_eq!(offend(store, &limit).await, 60);
    let now = store.clock.now();
    store.clock.set(now - Duration::from_secs(7_200));
    assert_eq!(wait(store, &limit, "ann").await, 0);
    assert_eq!(offend(store, &limit).await, 10);
}
