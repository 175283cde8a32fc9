//! The start-up check of a server: what it finds out by writing, and about clusters.

use std::time::Duration;

use actix_throttle::{Limit, RateLimiter, deadpool_redis};

use super::{DECIDING, build, for_every_version, limiter, until_decided};
use harness::{Server, ServerVersion, stores::block_on};

/// A missing permission to write is found when the limiter is built, and not by the first requests.
#[test]
fn user_without_write_permission_is_an_error() {
    for_every_version(async |server| {
        // `LTRIM` is never called: the log of the start-up check has one entry.
        for missing in DECIDING.iter().filter(|command| **command != "+ltrim") {
            let mut rule = vec![
                "ACL",
                "SETUSER",
                "weak",
                "reset",
                "on",
                ">pw",
                "~throttle:*",
            ];
            rule.extend(DECIDING.iter().filter(|command| *command != missing));
            let _: String = server.cli(&rule);
            let url = format!("redis://weak:pw@127.0.0.1:{}", server.port());
            let outcome = RateLimiter::builder().redis_url(url).build().await;
            let Err(error) = outcome else {
                panic!("{missing} was not missed");
            };
            assert!(error.is_credentials(), "{missing}: {error}");
            assert!(error.to_string().contains("ACL"), "{missing}: {error}");
        }
    });
}

#[test]
fn building_leaves_no_key_behind() {
    for_every_version(async |server| {
        limiter(&server).await;
        let keys: Vec<String> = server.cli(&["KEYS", "*"]);
        assert!(keys.is_empty(), "{keys:?}");
    });
}

/// A server that refuses writes does not fail the start: a failover may be under way, or memory be
/// full.
#[test]
fn a_server_that_refuses_writes_is_no_error() {
    for_every_version(async |server| {
        let limit = Limit::per_minute(1);
        let within = Duration::from_secs(4);

        let _: String = server.cli(&["REPLICAOF", "127.0.0.1", "1"]);
        let readonly = limiter(&server).await;
        assert!(readonly.check(&limit, "ann").await.is_err());
        let _: String = server.cli(&["REPLICAOF", "NO", "ONE"]);
        assert!(until_decided(&readonly, &limit, within).await.is_allowed());

        let _: String = server.cli(&["CONFIG", "SET", "maxmemory", "1"]);
        let full = limiter(&server).await;
        assert!(full.check(&limit, "bob").await.is_err());
        let _: String = server.cli(&["CONFIG", "SET", "maxmemory", "0"]);
        assert!(!until_decided(&full, &limit, within).await.is_allowed());
    });
}

#[test]
fn a_pool_of_the_wrong_kind_says_which_is_the_right_one() {
    let node = Server::start_with(ServerVersion::Redis7, &["--cluster-enabled", "yes"]);
    let error = build(node.url()).unwrap_err();
    assert!(error.is_settings(), "{error}");
    assert!(error.to_string().contains("deadpool_redis::cluster::Pool"));

    let alone = Server::start(ServerVersion::Redis7);
    let cluster = deadpool_redis::cluster::Config::from_urls([alone.url()])
        .create_pool(Some(deadpool_redis::Runtime::Tokio1))
        .unwrap();
    let error = block_on(RateLimiter::builder().redis(cluster).build()).unwrap_err();
    assert!(error.is_settings(), "{error}");
    assert!(error.to_string().contains("deadpool_redis::Pool"));
}
