//! Limits by the calendar: `times` in each hour, day, week, month or year of a time zone.

use std::{future::IntoFuture, pin::pin, time::Duration};

use actix_throttle::{Limit, Period};
use futures_util::FutureExt;

use super::{
    SECOND, admitted_at_once, check, for_every_store,
    refunds::{refund, take},
    standing, wait,
    waiting::settle,
};
use harness::stores::StoreFixture;

for_every_store!(
    a_month_ends_when_the_calendar_says_so,
    leap_days_belong_to_their_month,
    days_of_a_clock_change_last_23_and_25_hours,
    weeks_begin_on_monday,
    hours_and_years_end_as_well,
    a_changed_zone_keeps_the_usage_of_its_period,
    usage_outlives_its_period_for_a_later_zone,
    a_clock_that_steps_back_gives_no_quota_away,
    raised_and_lowered_limits_keep_what_was_used,
    a_refund_belongs_to_the_period_of_its_charge,
    periods_stack_with_windows_as_one_decision,
    a_shadow_counts_by_itself,
    resets_and_impossible_costs,
    a_waiter_is_served_when_the_period_ends,
);

const HOUR: u64 = 3_600 * SECOND;
const DAY: u64 = 24 * HOUR;
/// 2024-01-01T00:00:00Z, a Monday and the start of a leap year, at which the clock stands.
const START: u64 = 1_704_067_200 * SECOND;

/// Sets the clock to so many microseconds after the start of 2024.
fn set(store: &StoreFixture, since_start: u64) {
    store.clock.set(Duration::from_micros(START + since_start));
}

/// Uses up the limit, whose period ends after `left` microseconds, and checks what it says until
/// then. Leaves the clock at the end of the period.
async fn exhaust_until_end(store: &StoreFixture, limit: &Limit, left: u64) {
    let times = limit.times();
    let name = format!("{limit:?}");
    let first = check(store, limit, "ann").await;
    let status = &first.limits()[0];
    let end = Duration::from_micros(left);
    assert_eq!(status.remaining(), times - 1, "{name}");
    assert_eq!(
        (status.reset_after(), status.more_after()),
        (end, Some(end)),
        "{name}"
    );
    assert_eq!(
        admitted_at_once(store, limit, "ann", times + 5).await,
        times - 1,
        "{name}"
    );
    assert_eq!(wait(store, limit, "ann").await, left, "{name}");
    store.advance(left - 1);
    assert_eq!(
        check(store, limit, "ann").await.retry_after(),
        Some(Duration::from_micros(1))
    );
    store.advance(1);
    assert_eq!(standing(store, limit, "ann").await, (times, 0), "{name}");
}

async fn a_month_ends_when_the_calendar_says_so(store: &StoreFixture) {
    let limit = Limit::every(Period::Month, 3);
    set(store, 30 * DAY + 12 * HOUR);
    exhaust_until_end(store, &limit, 12 * HOUR).await;
    // The whole quota again, at once.
    assert_eq!(admitted_at_once(store, &limit, "ann", 5).await, 3);
    assert!(check(store, &limit, "bob").await.is_allowed());
}

async fn leap_days_belong_to_their_month(store: &StoreFixture) {
    let limit = Limit::every(Period::Month, 2);
    set(store, 31 * DAY);
    exhaust_until_end(store, &limit, 29 * DAY).await;
    exhaust_until_end(store, &limit, 31 * DAY).await;
    // 2025 has no 29 February.
    set(store, (366 + 31) * DAY);
    exhaust_until_end(store, &limit, 28 * DAY).await;
}

async fn days_of_a_clock_change_last_23_and_25_hours(store: &StoreFixture) {
    let limit = Limit::every(Period::Day, 2).time_zone("Europe/Berlin");
    // 31 March 2024 begins at 23:00 UTC, and at 2:00 it is 3:00.
    set(store, 90 * DAY - HOUR);
    exhaust_until_end(store, &limit, 23 * HOUR).await;
    exhaust_until_end(store, &limit, 24 * HOUR).await;
    // 27 October 2024, with its midnight in summer time.
    set(store, 300 * DAY - 2 * HOUR);
    exhaust_until_end(store, &limit, 25 * HOUR).await;
}

async fn weeks_begin_on_monday(store: &StoreFixture) {
    let limit = Limit::every(Period::Week, 2);
    set(store, 6 * DAY + 23 * HOUR);
    exhaust_until_end(store, &limit, HOUR).await;
    exhaust_until_end(store, &limit, 7 * DAY).await;
}

async fn hours_and_years_end_as_well(store: &StoreFixture) {
    set(store, HOUR / 4);
    exhaust_until_end(store, &Limit::every(Period::Hour, 2), HOUR * 3 / 4).await;
    set(store, 0);
    let indian = Limit::every(Period::Hour, 2)
        .time_zone("Asia/Kolkata")
        .zone("indian");
    exhaust_until_end(store, &indian, HOUR / 2).await;
    set(store, 0);
    exhaust_until_end(store, &Limit::every(Period::Year, 2), 366 * DAY).await;
    exhaust_until_end(store, &Limit::every(Period::Year, 2), 365 * DAY).await;
}

async fn a_changed_zone_keeps_the_usage_of_its_period(store: &StoreFixture) {
    let limit = Limit::every(Period::Month, 3);
    let (berlin, new_york) = (
        limit.time_zone("Europe/Berlin"),
        limit.time_zone("America/New_York"),
    );
    // Half an hour into February in Berlin, while January goes on elsewhere.
    set(store, 31 * DAY - HOUR / 2);
    assert_eq!(admitted_at_once(store, &limit.cost(2), "ann", 1).await, 1);
    let left = 29 * DAY - HOUR / 2;
    assert_eq!(standing(store, &berlin, "ann").await, (1, left));
    let left = 5 * HOUR + HOUR / 2;
    assert_eq!(standing(store, &new_york, "ann").await, (1, left));
    assert_eq!(admitted_at_once(store, &new_york, "ann", 3).await, 1);
    assert_eq!(wait(store, &berlin, "ann").await, 29 * DAY - HOUR / 2);
    // The usage before midnight in Berlin is January's there.
    set(store, 31 * DAY - 2 * HOUR);
    assert_eq!(admitted_at_once(store, &limit.cost(2), "bob", 1).await, 1);
    store.advance(3 * HOUR / 2);
    assert_eq!(standing(store, &limit, "bob").await.0, 1);
    assert_eq!(standing(store, &berlin, "bob").await, (3, 0));
}

async fn usage_outlives_its_period_for_a_later_zone(store: &StoreFixture) {
    let limit = Limit::every(Period::Month, 3).time_zone("Pacific/Kiritimati");
    // January ends 26 hours later on Baker Island, in UTC−12, than on Kiritimati, in UTC+14.
    set(store, 31 * DAY - 15 * HOUR);
    assert_eq!(admitted_at_once(store, &limit, "ann", 5).await, 3);
    store.advance(27 * HOUR - 1);
    let later = limit.time_zone("Etc/GMT+12");
    assert_eq!(wait(store, &later, "ann").await, 1);
    assert_eq!(standing(store, &limit, "ann").await, (3, 0));
    store.advance(1);
    assert_eq!(admitted_at_once(store, &later, "ann", 5).await, 3);
}

async fn a_clock_that_steps_back_gives_no_quota_away(store: &StoreFixture) {
    let limit = Limit::every(Period::Day, 3);
    set(store, DAY);
    assert_eq!(admitted_at_once(store, &limit, "ann", 5).await, 3);
    store.advance(HOUR);
    assert!(!check(store, &limit, "ann").await.is_allowed());
    set(store, DAY);
    assert_eq!(wait(store, &limit, "ann").await, DAY);
    // Back into the day before: another quota, and no longer wait.
    set(store, DAY - SECOND);
    assert_eq!(admitted_at_once(store, &limit, "ann", 9).await, 3);
    assert_eq!(wait(store, &limit, "ann").await, SECOND);
}

async fn raised_and_lowered_limits_keep_what_was_used(store: &StoreFixture) {
    let limit = |times| Limit::every(Period::Week, times);
    set(store, DAY);
    assert_eq!(admitted_at_once(store, &limit(4), "ann", 9).await, 4);
    assert_eq!(admitted_at_once(store, &limit(10), "ann", 20).await, 6);
    assert_eq!(wait(store, &limit(2), "ann").await, 6 * DAY);
    assert_eq!(standing(store, &limit(2), "ann").await.0, 0);
    // A day and a week have counters of their own.
    assert!(
        check(store, &Limit::every(Period::Day, 1), "ann")
            .await
            .is_allowed()
    );
}

async fn a_refund_belongs_to_the_period_of_its_charge(store: &StoreFixture) {
    let limit = Limit::every(Period::Day, 5);
    set(store, HOUR);
    let first = take(store, &limit.cost(2), "ann").await;
    let second = take(store, &limit.cost(2), "ann").await;
    store.advance(HOUR);
    refund(store, first).await;
    assert_eq!(standing(store, &limit, "ann").await, (3, 22 * HOUR));
    store.advance(22 * HOUR);
    check(store, &limit.cost(4), "ann").await;
    refund(store, second).await;
    assert_eq!(standing(store, &limit, "ann").await, (1, DAY));
    // The last refund leaves nothing.
    let whole = take(store, &limit, "bob").await;
    refund(store, whole).await;
    assert_eq!(standing(store, &limit, "bob").await, (5, 0));
}

async fn periods_stack_with_windows_as_one_decision(store: &StoreFixture) {
    let (day, month) = (Limit::every(Period::Day, 3), Limit::every(Period::Month, 4));
    let second = Limit::per_second(2);
    let all = [(&day, "ann"), (&month, "ann"), (&second, "ann")];
    set(store, 0);
    let ask = async || store.limiter.check_all(&all).await.unwrap();
    for _ in 0..2 {
        assert!(ask().await.is_allowed());
    }
    // The second denies, and nothing is charged.
    assert!(!ask().await.is_allowed());
    assert_eq!(standing(store, &month, "ann").await.0, 2);
    store.advance(SECOND);
    assert!(ask().await.is_allowed());
    assert_eq!(
        ask().await.retry_after(),
        Some(Duration::from_micros(DAY - SECOND))
    );
    set(store, DAY);
    assert!(ask().await.is_allowed());
    let denied = ask().await;
    assert_eq!(denied.retry_after(), Some(Duration::from_micros(30 * DAY)));
    assert_eq!(standing(store, &day, "ann").await.0, 2);
}

async fn a_shadow_counts_by_itself(store: &StoreFixture) {
    let limit = Limit::every(Period::Month, 2);
    let shadow = limit.shadow();
    set(store, 0);
    for count in 1..=3 {
        let decision = check(store, &shadow, "ann").await;
        assert!(decision.is_allowed());
        assert_eq!(decision.limits()[0].is_exceeded(), count > 2);
    }
    assert_eq!(admitted_at_once(store, &limit, "ann", 5).await, 2);
}

async fn resets_and_impossible_costs(store: &StoreFixture) {
    let limit = Limit::every(Period::Year, 2).block(Duration::from_secs(60));
    set(store, 0);
    assert!(check(store, &limit.cost(3), "ann").await.exceeds_capacity());
    assert_eq!(admitted_at_once(store, &limit, "ann", 5).await, 2);
    assert!(check(store, &limit, "ann").await.limits()[0].is_blocked());
    store.limiter.reset(&limit, "ann").await.unwrap();
    assert_eq!(standing(store, &limit, "ann").await, (2, 0));
    assert!(check(store, &limit.cost(0), "ann").await.is_allowed());
    assert_eq!(standing(store, &limit, "ann").await, (2, 0));
}

async fn a_waiter_is_served_when_the_period_ends(store: &StoreFixture) {
    let limit = Limit::every(Period::Hour, 1);
    set(store, HOUR - SECOND);
    assert!(check(store, &limit, "ann").await.is_allowed());
    let acquire = |seconds| {
        let acquire = store.limiter.acquire(&limit, "ann");
        acquire.max_wait(Duration::from_secs(seconds)).into_future()
    };
    let mut waiter = pin!(acquire(5));
    for step in [0, SECOND - 1] {
        store.advance(step);
        for _ in 0..3 {
            assert!((&mut waiter).now_or_never().is_none(), "after {step}");
            settle().await;
        }
    }
    store.advance(1);
    waiter.await.unwrap();
    // The next period begins too late for this one, which is told so at once.
    assert!(acquire(60).await.is_err());
}
