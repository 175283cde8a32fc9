//! Periods of the calendar by Redis' own clock, however wrong the clock of the process is.

use std::time::Duration;

use actix_throttle::{Limit, Period};

use harness::{
    ServerVersion,
    stores::{StoreFixture, StoreKind, block_on, unique},
};

const HOUR: i64 = 3_600_000_000;
const DAY: i64 = 24 * HOUR;

/// Returns after how long a limit that is used up now has its quota again, with the clock of the
/// process so far ahead.
async fn wait(store: &StoreFixture, limit: &Limit, now: &str, ahead: i64) -> Duration {
    let now: u64 = match now {
        "2024-03-30T12:00Z" => 1_711_800_000,
        "2024-03-31T12:00Z" => 1_711_886_400,
        "2024-04-01T12:00Z" => 1_711_972_800,
        other => panic!("{other}"),
    };
    store.clock.set(Duration::from_secs(now));
    store.clock.set_process_ahead(ahead);
    let identity = unique("user");
    assert!(
        store
            .limiter
            .check(limit, identity.as_str())
            .await
            .unwrap()
            .is_allowed()
    );
    let denied = store.limiter.check(limit, identity.as_str()).await.unwrap();
    denied.retry_after().expect("a denial")
}

#[test]
fn period_is_the_one_by_the_clock_of_redis() {
    block_on(async {
        let store = StoreFixture::new(StoreKind::Server(ServerVersion::Redis7)).await;
        let hours = |hours: u64| Duration::from_secs(hours * 3_600);
        // A day of 24 hours, the one of 23, and one of 24 again: local midnights.
        let day = Limit::every(Period::Day, 1).time_zone("Europe/Berlin");
        for ahead in [0, DAY, -DAY, 13 * HOUR, -13 * HOUR] {
            for (now, left) in [
                ("2024-03-30T12:00Z", hours(11)),
                ("2024-03-31T12:00Z", hours(10)),
                ("2024-04-01T12:00Z", hours(10)),
            ] {
                assert_eq!(wait(&store, &day, now, ahead).await, left, "{now}, {ahead}");
            }
        }
        let month = Limit::every(Period::Month, 1);
        for ahead in [-29 * DAY, -2 * DAY, 0, 2 * DAY, 29 * DAY] {
            assert_eq!(
                wait(&store, &month, "2024-03-30T12:00Z", ahead).await,
                hours(36)
            );
        }
    });
}

#[test]
fn beyond_what_is_packed_periods_are_as_long_as_the_nearest() {
    block_on(async {
        let store = StoreFixture::new(StoreKind::Server(ServerVersion::Redis62)).await;
        let half_past = Duration::from_secs(1_800);
        let hour = Limit::every(Period::Hour, 1).time_zone("Asia/Kolkata");
        let day = Limit::every(Period::Day, 1);
        for days in [-900, -3, -2, 2, 3, 900] {
            let ahead = days * DAY + HOUR / 7;
            assert_eq!(
                wait(&store, &hour, "2024-04-01T12:00Z", ahead).await,
                half_past
            );
            let left = wait(&store, &day, "2024-04-01T12:00Z", ahead).await;
            assert_eq!(left, Duration::from_secs(12 * 3_600));
        }
        // Each wait has an end.
        let year = Limit::every(Period::Year, 1);
        for days in [-9_000, 9_000] {
            let left = wait(&store, &year, "2024-04-01T12:00Z", days * DAY).await;
            assert!(left <= Duration::from_secs(366 * 24 * 3_600));
        }
    });
}
