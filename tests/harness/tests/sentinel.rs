//! Tests of the harness's sentinels: failover by accident and by plan.

use std::time::{Duration, Instant};

use harness::{Sentinels, ServerVersion};

const WITHIN: Duration = Duration::from_secs(20);

#[test]
fn every_version_has_sentinels_that_replace_a_dead_master() {
    for version in ServerVersion::ALL {
        let start = Instant::now();
        let mut sentinels = Sentinels::start(version);
        println!("{version:?}: sentinels after {:?}", start.elapsed());
        assert_eq!(sentinels.urls().len(), 3);
        assert_eq!(sentinels.master(), 0);

        let start = Instant::now();
        assert_eq!(sentinels.kill_master(), 0);
        let new = sentinels.await_master(0, WITHIN);
        println!("{version:?}: a new master after {:?}", start.elapsed());
        let _: String = sentinels.server(new).cli(&["SET", "k", "v"]);

        sentinels.restart(0);
        assert_eq!(sentinels.master(), new);
    }
}

#[test]
fn a_stopped_master_is_replaced() {
    let sentinels = Sentinels::start(ServerVersion::Valkey9);
    let old = sentinels.stop_master();
    let new = sentinels.await_master(old, WITHIN);
    sentinels.resume(old);
    assert_eq!(sentinels.master(), new);
}

#[test]
fn a_planned_switch_leaves_the_old_master_as_a_replica() {
    // Redis 6.2 passes too, but takes some 20 seconds.
    for version in [ServerVersion::Redis7, ServerVersion::Valkey9] {
        let sentinels = Sentinels::start(version);
        let _: String = sentinels.server(0).cli(&["SET", "k", "v"]);
        for replica in [1, 2] {
            let replica = sentinels.server(replica);
            replica.await_caught_up(sentinels.server(0));
        }
        let new = sentinels.failover();
        assert_ne!(new, 0);
        assert_eq!(sentinels.server(new).cli::<String>(&["GET", "k"]), "v");
        sentinels.await_replica(0, WITHIN);
        assert_eq!(sentinels.server(0).info("role").as_deref(), Some("slave"));
    }
}

#[test]
fn a_dead_sentinel_is_not_asked() {
    let mut sentinels = Sentinels::start(ServerVersion::Redis7);
    sentinels.sentinel(0).kill();
    sentinels.kill_master();
    sentinels.await_master(0, WITHIN);
    assert!(!sentinels.service_name().is_empty());
}
