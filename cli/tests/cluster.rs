//! A cluster: all masters, and slots on their way.

use actix_throttle::{Concurrency, Limit};
use harness::{
    Cluster, ServerVersion, slot_of,
    stores::{block_on, cluster_pool},
};
use serde_json::json;

use crate::{patient, redis};

#[test]
fn cluster_is_found_by_one_node_and_covered_as_a_whole() {
    block_on(async {
        let cluster = Cluster::start(ServerVersion::Redis7, 3, 0);
        let url = cluster.node(1).url();
        let pool = cluster_pool(cluster.urls());
        let limiter = patient().redis(pool).build().await.unwrap();
        let limit = Limit::per_hour(1).zone("z");
        let users: Vec<String> = (0..40).map(|number| format!("user-{number}")).collect();
        for user in &users {
            assert!(limiter.check(&limit, user).await.unwrap().is_allowed());
        }
        let said = redis(&url, &["list", "--json"]).status(0);
        assert_eq!(said.entries().len(), 40);
        assert_eq!(said.json()["complete"], json!(true));
        for user in &users[..10] {
            redis(&url, &["block", user, "--for", "1h"]).status(0);
            assert!(!limiter.check(&limit, user).await.unwrap().is_allowed());
            redis(&url, &["reset", user, "--yes"]).status(0);
            assert!(limiter.check(&limit, user).await.unwrap().is_allowed());
        }
        let said = redis(&format!("{url}/2"), &["list"]).status(2);
        assert!(said.err.contains("cluster mode"), "{said:?}");
    });
}

#[test]
fn slot_on_its_way_is_read_and_changed_on_both_nodes() {
    block_on(async {
        let cluster = Cluster::start(ServerVersion::Redis7, 3, 0);
        let url = cluster.node(0).url();
        let pool = cluster_pool(cluster.urls());
        let limiter = patient().redis(pool).build().await.unwrap();
        let login = Limit::per_hour(5).zone("login");
        let search = Limit::per_hour(5).zone("search");
        for limit in [&login, &search] {
            assert!(limiter.check(limit, "ann").await.unwrap().is_allowed());
        }
        let semaphore = limiter.semaphore(&Concurrency::new(5).zone("export"), "ann");
        let _held = semaphore.acquire().await.unwrap();

        let slot = slot_of("{user=ann}");
        let to = (cluster.master_of_slot(slot) + 1) % 3;
        let migration = cluster.begin_migration(slot, to);
        migration.move_key("throttle:{user=ann}:login:l3600");
        let entries = redis(&url, &["show", "ann", "--json"]).status(0).entries();
        assert_eq!(entries.len(), 3, "{entries:?}");
        assert!(entries.iter().all(|entry| entry["used"] == json!(1)));

        redis(&url, &["block", "ann", "--for", "1h"]).status(0);
        for limit in [&login, &search] {
            assert!(!limiter.check(limit, "ann").await.unwrap().is_allowed());
        }
        redis(&url, &["unblock", "ann", "--yes"]).status(0);
        for limit in [&login, &search] {
            assert!(limiter.check(limit, "ann").await.unwrap().is_allowed());
        }
        redis(&url, &["reset", "ann", "--yes", "--permits"]).status(0);
        redis(&url, &["show", "ann"]).status(1);
        migration.move_keys();
        migration.finish();
    });
}
