//! Masters that sentinels replace, under load.

use std::time::Duration;

use actix_throttle::{RateLimiter, deadpool_redis};

use super::{
    DEADLINE, RECOVERY, apart, limiter, outage_scenario::OutageScenario, status_counts::SCHEDULING,
};
use harness::{Sentinels, Server, ServerVersion};

/// Bound for limits to be exact again once there is a master.
const BACK: Duration = RECOVERY
    .saturating_add(DEADLINE)
    .saturating_add(SCHEDULING)
    .saturating_add(SCHEDULING);
const WITHIN: Duration = Duration::from_secs(20);
/// Time for requests that were in flight when a master was demoted.
const MOMENT: Duration = Duration::from_millis(500);

async fn limiter_of(sentinels: &Sentinels) -> RateLimiter {
    let kind = deadpool_redis::sentinel::SentinelServerType::Master;
    let name = sentinels.service_name().to_owned();
    let mut config = deadpool_redis::sentinel::Config::from_urls(sentinels.urls(), name, kind);
    config.pool = None;
    let pool = config.create_pool(Some(deadpool_redis::Runtime::Tokio1));
    limiter(pool.unwrap()).await
}

/// The number of decisions that a server was asked for.
fn asked(server: &Server) -> u64 {
    let info: String = server.cli(&["INFO", "commandstats"]);
    info.lines()
        .find_map(|line| {
            line.strip_prefix("cmdstat_evalsha:calls=")?
                .split(',')
                .next()
        })
        .map_or(0, |count| count.parse().unwrap())
}

/// Asserts that this server receives no more checks.
async fn assert_left_alone(scenario: &OutageScenario, server: &Server) {
    scenario.run(MOMENT).await;
    let before = asked(server);
    scenario.run(MOMENT * 2).await;
    assert_eq!(asked(server), before);
}

#[actix_web::test]
async fn a_killed_master_is_replaced() {
    let sentinels = Sentinels::start(ServerVersion::Redis7);
    let mut scenario = OutageScenario::start(&limiter_of(&sentinels).await);
    scenario.until_exact(BACK).await;
    let (mut sentinels, ()) = apart(sentinels, |sentinels| {
        let old = sentinels.kill_master();
        sentinels.await_master(old, WITHIN);
    })
    .await;
    println!(
        "exact after a failover: {:?}",
        scenario.until_exact(BACK).await
    );
    // It starts as a master, until the sentinels demote it.
    sentinels.restart(0);
    assert_left_alone(&scenario, sentinels.server(0)).await;
    scenario.until_exact(BACK).await;
    println!("{:?}", scenario.end_load().await);
}

#[actix_web::test]
async fn a_stopped_master_is_replaced_and_used_no_more() {
    let sentinels = Sentinels::start(ServerVersion::Valkey9);
    let mut scenario = OutageScenario::start(&limiter_of(&sentinels).await);
    scenario.until_exact(BACK).await;
    let (sentinels, ()) = apart(sentinels, |sentinels| {
        let old = sentinels.stop_master();
        sentinels.await_master(old, WITHIN);
    })
    .await;
    println!(
        "exact after a failover: {:?}",
        scenario.until_exact(BACK).await
    );
    sentinels.resume(0);
    assert_left_alone(&scenario, sentinels.server(0)).await;
    scenario.until_exact(BACK).await;
    let (sentinels, ()) = apart(sentinels, |sentinels| sentinels.await_replica(0, WITHIN)).await;
    assert_left_alone(&scenario, sentinels.server(0)).await;
    println!("{:?}", scenario.end_load().await);
}

#[actix_web::test]
async fn a_planned_switch_and_a_lonely_sentinel() {
    let sentinels = Sentinels::start(ServerVersion::Redis7);
    let mut scenario = OutageScenario::start(&limiter_of(&sentinels).await);
    scenario.until_exact(BACK).await;
    let (sentinels, new) = apart(sentinels, |sentinels| {
        let new = sentinels.failover();
        sentinels.await_replica(0, WITHIN);
        new
    })
    .await;
    println!(
        "exact after a switch: {:?}",
        scenario.until_exact(BACK).await
    );
    assert_left_alone(&scenario, sentinels.server(0)).await;
    // The remaining sentinel can name the master, but has no majority for a failover.
    let (sentinels, ()) = apart(sentinels, move |sentinels| {
        sentinels.sentinel(0).kill();
        sentinels.sentinel(1).kill();
        let server = sentinels.server(new);
        let _: u64 = server.cli(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
    })
    .await;
    println!(
        "exact after all connections were cut: {:?}",
        scenario.until_exact(BACK).await
    );
    assert!(sentinels.server(new).clients() <= 8);
    println!("{:?}", scenario.end_load().await);
}
