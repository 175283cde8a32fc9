//! Tests of the harness's cluster: slots, failover, and migration of slots.

use std::time::{Duration, Instant};

use redis::Value;

use harness::{Cluster, SLOTS, ServerVersion, slot_of};

const WITHIN: Duration = Duration::from_secs(20);

/// The code of the error that the server refuses the command with.
fn refusal(cluster: &Cluster, node: usize, command: &[&str]) -> String {
    let outcome = cluster.node(node).try_cli::<Value>(command);
    let error = outcome.expect_err("it is refused");
    error.code().expect("the server gives one").to_owned()
}

/// A key in a slot of this master.
fn key_of(cluster: &Cluster, master: usize) -> String {
    (0..)
        .map(|number| format!("key{number}"))
        .find(|key| cluster.owner_of_key(key) == master)
        .expect("every master owns slots")
}

#[test]
fn slots_are_the_servers_own() {
    let cluster = Cluster::start(ServerVersion::Redis7, 1, 0);
    for key in ["", "a", "foo{bar}baz", "{}a", "{a", "a}b{c}d{e}", "ä{ö}"] {
        let slot: u16 = cluster.node(0).cli(&["CLUSTER", "KEYSLOT", key]);
        assert_eq!(slot_of(key), slot, "{key}");
    }
}

#[test]
fn every_version_makes_a_cluster_that_fails_over() {
    for version in ServerVersion::ALL {
        let start = Instant::now();
        let mut cluster = Cluster::start(version, 3, 1);
        println!("{version:?}: a cluster after {:?}", start.elapsed());
        assert_eq!((cluster.node_count(), cluster.urls().len()), (6, 6));
        assert_eq!(cluster.masters().len(), 3);
        let owners = [0, 6_000, SLOTS - 1].map(|slot| cluster.master_of_slot(slot));
        assert_eq!(owners, [0, 1, 2]);

        let key = key_of(&cluster, 1);
        assert_eq!(refusal(&cluster, 0, &["SET", &key, "v"]), "MOVED");
        let _: String = cluster.node(1).cli(&["SET", &key, "v"]);

        let start = Instant::now();
        cluster.kill(1);
        let new = cluster.await_failover(1, WITHIN);
        println!("{version:?}: a new master after {:?}", start.elapsed());
        assert_eq!(new, 4);
        assert_eq!(cluster.owner_of_key(&key), 4);
        let _: String = cluster.node(4).cli(&["SET", &key, "w"]);

        cluster.restart(1);
        cluster.await_ok(WITHIN);
        cluster.await_replicas(WITHIN);
        assert_eq!(cluster.node(1).info("role").as_deref(), Some("slave"));
        cluster.promote(1, WITHIN);
        assert_eq!(cluster.owner_of_key(&key), 1);
        assert_eq!(cluster.node(1).cli::<String>(&["GET", &key]), "w");
    }
}

#[test]
fn a_stopped_master_is_replaced_and_comes_back_as_a_replica() {
    let cluster = Cluster::start(ServerVersion::Valkey9, 3, 1);
    cluster.stop(0);
    assert_eq!(cluster.await_failover(0, WITHIN), 3);
    cluster.resume(0);
    cluster.await_ok(WITHIN);
    assert_eq!(cluster.master_of_slot(0), 3);
}

#[test]
fn a_slot_moves_step_by_step_or_at_once() {
    for version in ServerVersion::ALL {
        let cluster = Cluster::start(version, 3, 0);
        let key = key_of(&cluster, 0);
        let slot = slot_of(&key);
        let _: String = cluster.node(0).cli(&["SET", &key, "v"]);

        let migration = cluster.begin_migration(slot, 2);
        assert_eq!(migration.from(), 0);
        let get = ["GET", &key];
        assert_eq!(cluster.node(0).cli::<String>(&get), "v");
        let absent = format!("{{{key}}}absent");
        assert_eq!(refusal(&cluster, 0, &["GET", &absent]), "ASK");
        let both = refusal(&cluster, 0, &["MGET", &key, &absent]);
        // Redis 6.2 redirects the client, and only the new owner answers `TRYAGAIN`.
        let expected = if version == ServerVersion::Redis62 {
            "ASK"
        } else {
            "TRYAGAIN"
        };
        assert_eq!(both, expected);
        migration.move_keys();
        assert_eq!(refusal(&cluster, 0, &get), "ASK");
        assert_eq!(refusal(&cluster, 2, &get), "MOVED");
        migration.finish();
        assert_eq!(refusal(&cluster, 0, &get), "MOVED");
        assert_eq!(cluster.node(2).cli::<String>(&get), "v");

        cluster.migrate_slot(slot, 1);
        assert_eq!(cluster.master_of_slot(slot), 1);
        assert_eq!(cluster.node(1).cli::<String>(&get), "v");
    }
}
