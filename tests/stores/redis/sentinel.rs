//! Operations on many keys at a master that sentinels name, before a failover and after it.

use std::time::Duration;

use actix_throttle::{FailureMode, Limit, RateLimiter, UsageState, deadpool_redis};

use harness::{
    Sentinels, ServerVersion, eventually_async,
    stores::{block_on, every_algorithm},
};

const LOGIN: Limit = Limit::per_hour(1)
    .zone("login")
    .block_steps(&[Duration::from_secs(60), Duration::from_secs(600)]);
/// More users than a step of the scan looks at.
const USERS: usize = 700;
const WITHIN: Duration = Duration::from_secs(20);

async fn limiter_of(sentinels: &Sentinels) -> RateLimiter {
    let kind = deadpool_redis::sentinel::SentinelServerType::Master;
    let name = sentinels.service_name().to_owned();
    let config = deadpool_redis::sentinel::Config::from_urls(sentinels.urls(), name, kind);
    let pool = config.create_pool(Some(deadpool_redis::Runtime::Tokio1));
    RateLimiter::builder()
        .redis(pool.unwrap())
        .deadline(Duration::from_secs(5))
        .failure_mode(FailureMode::Closed)
        .build()
        .await
        .unwrap()
}

/// Counts, looks an identity up and resets: one limit for everyone, then everything.
async fn look_up_and_reset(limiter: &RateLimiter) {
    for index in 0..USERS {
        let user = format!("user{index}");
        assert!(limiter.check(&LOGIN, &*user).await.unwrap().is_allowed());
    }
    assert!(!limiter.check(&LOGIN, "user1").await.unwrap().is_allowed());
    let others = every_algorithm(5, 60);
    for limit in others {
        limiter.check(&limit.zone("others"), "user1").await.unwrap();
    }
    let usage = limiter.peek_identity("user1").await.unwrap();
    assert!(usage.is_complete(), "{usage:?}");
    assert_eq!(usage.limits().len(), 2 + others.len(), "{usage:?}");
    let blocked = usage
        .limits()
        .iter()
        .filter(|one| matches!(one.state(), UsageState::Blocked { .. }));
    let counts = blocked.filter_map(|one| Some(one.offences()?.count));
    assert_eq!(counts.collect::<Vec<_>>(), [1]);

    let short = limiter.reset_limit(&LOGIN).max_keys(1).await.unwrap();
    assert!(!short.is_complete(), "{short:?}");
    let rest = limiter.reset_limit(&LOGIN).await.unwrap();
    assert!(rest.is_complete(), "{rest:?}");
    assert_eq!(short.deleted() + rest.deleted(), USERS as u64 + 1);
    assert!(limiter.check(&LOGIN, "user1").await.unwrap().is_allowed());
    let all = limiter.reset_all().await.unwrap();
    assert!(all.is_complete(), "{all:?}");
    assert_eq!(all.deleted(), 1 + others.len() as u64);
    let usage = limiter.peek_written("user=user1").await.unwrap();
    assert!(
        usage.is_complete() && usage.limits().is_empty(),
        "{usage:?}"
    );
}

#[test]
fn keys_are_scanned_at_the_master_also_after_a_failover() {
    let sentinels = Sentinels::start(ServerVersion::Redis7);
    block_on(async {
        let limiter = limiter_of(&sentinels).await;
        look_up_and_reset(&limiter).await;
        limiter.check(&LOGIN, "kept").await.unwrap();
        let master = sentinels.failover();
        assert_ne!(master, 0);
        // The old master refuses to write once it is a replica; until then it may reply.
        sentinels.await_replica(0, WITHIN);
        let reset = async || match limiter.reset_all().await {
            Ok(report) => report.is_complete(),
            Err(_) => false,
        };
        eventually_async("everything is reset", WITHIN, reset).await;
        let left: Vec<String> = sentinels.server(master).cli(&["KEYS", "*{*"]);
        assert_eq!(left, [""; 0], "at the new master");
        look_up_and_reset(&limiter).await;
    });
}
