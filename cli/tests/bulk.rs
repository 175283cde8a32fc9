//! `throttle redis reset --all`: of a zone, and of a prefix.

use std::time::Duration;

use actix_throttle::{Concurrency, Limit};
use harness::{
    Cluster, Server, ServerVersion,
    stores::{block_on, cluster_pool},
};
use serde_json::json;

use crate::{limiter, patient, redis};

const LOGIN: Limit = Limit::per_hour(1).zone("shop::handlers::login");
const OTHER: Limit = Limit::per_hour(1).zone("other");

#[test]
fn reset_of_everyone_is_for_the_zone_or_for_the_prefix() {
    for version in ServerVersion::ALL {
        block_on(of_zone_and_prefix(version));
    }
}

async fn of_zone_and_prefix(version: ServerVersion) {
    let server = Server::start(version);
    let url = server.url();
    let limiter = limiter(&url).await;
    let jobs = Concurrency::new(1)
        .expiry(Duration::from_secs(60))
        .zone("jobs");
    let held = limiter.semaphore(&jobs, "ann").acquire().await.unwrap();
    for index in 0..1_200 {
        let name = format!("user{index}");
        limiter.check(&LOGIN, &*name).await.unwrap();
    }
    limiter.check(&OTHER, "ann").await.unwrap();
    let _: String = server.cli(&["SET", "throttle:foreign", "1"]);

    let zone = ["reset", "--all", "--zone", "shop::handlers::login"];
    let said = redis(&url, &zone).status(2);
    assert!(said.err.contains("--yes"), "{said:?}");
    let said = redis(&url, &[&zone[..], &["--yes", "--json"]].concat()).status(0);
    assert_eq!(said.json(), json!({ "deleted": 1_200, "complete": true }));
    assert!(limiter.check(&LOGIN, "user7").await.unwrap().is_allowed());
    assert!(!limiter.check(&OTHER, "ann").await.unwrap().is_allowed());

    let said = redis(&url, &["reset", "--all", "--yes"]).status(0);
    assert_eq!(said.out, "deleted 2 keys\n");
    assert!(limiter.check(&OTHER, "ann").await.unwrap().is_allowed());
    let semaphore = limiter.semaphore(&jobs, "ann");
    assert!(semaphore.try_acquire().await.unwrap().is_none());
    let said = redis(&url, &["reset", "--all", "--yes", "--permits", "--json"]).status(0);
    assert_eq!(said.json()["deleted"], json!(2));
    let said = redis(&url, &["reset", "--all", "--yes"]).status(1);
    assert!(said.err.contains("nothing is counted"), "{said:?}");
    let left: i64 = server.cli(&["EXISTS", "throttle:foreign"]);
    assert_eq!(left, 1);
    drop(held);
}

#[test]
fn reset_of_everyone_goes_through_all_masters() {
    block_on(async {
        let cluster = Cluster::start(ServerVersion::Redis7, 3, 0);
        let url = cluster.node(1).url();
        let pool = cluster_pool(cluster.urls());
        let limiter = patient().redis(pool).build().await.unwrap();
        for index in 0..30 {
            let name = format!("user{index}");
            limiter.check(&LOGIN, &*name).await.unwrap();
        }
        let said = redis(&url, &["reset", "--all", "--yes", "--json"]).status(0);
        assert_eq!(said.json(), json!({ "deleted": 30, "complete": true }));
        for index in 0..30 {
            let name = format!("user{index}");
            assert!(limiter.check(&LOGIN, &*name).await.unwrap().is_allowed());
        }
    });
}

#[test]
fn identity_and_everyone_exclude_each_other() {
    let url = "redis://127.0.0.1:1";
    let said = redis(url, &["reset", "ann", "--all"]).status(2);
    assert!(said.err.contains("--all"), "{said:?}");
    let said = redis(url, &["reset", "--yes"]).status(2);
    assert!(
        said.err.contains("<ID|--all>") || said.err.contains("ID"),
        "{said:?}"
    );
}
