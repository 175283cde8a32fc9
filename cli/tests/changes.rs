//! Changing what a single server holds: resets, blocks and their ends.

use std::time::Duration;

use actix_throttle::{Concurrency, Limit};
use harness::{Server, ServerVersion};
use serde_json::json;

use crate::{for_every_version, limiter, redis};

#[test]
fn reset_frees_counters_and_blocks_but_no_permits() {
    for_every_version(async |server| {
        let limiter = limiter(&server.url()).await;
        let limit = Limit::per_hour(1)
            .zone("login")
            .block(Duration::from_secs(60));
        for name in ["ann", "bob"] {
            while limiter.check(&limit, name).await.unwrap().is_allowed() {}
        }
        let permits = Concurrency::new(1).zone("export");
        let held = limiter.semaphore(&permits, "ann").acquire().await.unwrap();
        let keys = |server: &Server| server.cli::<Vec<String>>(&["KEYS", "*{*"]).len();
        assert_eq!(keys(&server), 5);

        // Nobody can be asked, so nothing is deleted.
        let said = redis(&server.url(), &["reset", "ann"]).status(2);
        assert!(said.err.contains("`--yes`"), "{said:?}");
        assert_eq!(keys(&server), 5);

        let said = redis(&server.url(), &["reset", "ann", "--yes", "--json"]).status(0);
        let deleted = json!([
            "throttle:{user=ann}:login:l3600",
            "throttle:{user=ann}:login:x",
        ]);
        assert_eq!(said.json()["deleted"], deleted);
        assert!(limiter.check(&limit, "ann").await.unwrap().is_allowed());
        assert!(!limiter.check(&limit, "bob").await.unwrap().is_allowed());
        assert!(held.is_valid());

        redis(&server.url(), &["reset", "ann", "--yes", "--zone", "other"]).status(1);
        redis(&server.url(), &["reset", "ann", "--yes"]).status(0);
        let said = redis(&server.url(), &["reset", "ann", "--yes"]).status(1);
        assert!(said.err.contains("`--permits`"), "{said:?}");
        redis(&server.url(), &["reset", "ann", "--yes", "--permits"]).status(0);
        let said = redis(&server.url(), &["show", "ann"]).status(1);
        assert!(said.err.contains("`user=ann`"), "{said:?}");
        assert_eq!(keys(&server), 2, "those of bob");
    });
}

#[test]
fn block_denies_at_once_and_unblock_admits() {
    for_every_version(async |server| {
        let limiter = limiter(&server.url()).await;
        let login = Limit::per_hour(100).zone("login");
        let search = Limit::per_hour(100).zone("search");
        let allowed = async |limit, name| limiter.check(limit, name).await.unwrap().is_allowed();
        assert!(allowed(&login, "ann").await && allowed(&search, "ann").await);
        assert!(allowed(&login, "bob").await);

        redis(&server.url(), &["block", "ann", "--for", "1h 30m"]).status(0);
        let decision = limiter.check(&login, "ann").await.unwrap();
        assert!(!decision.is_allowed() && !allowed(&search, "ann").await);
        let left = decision.retry_after().unwrap().as_secs();
        assert!((5_390..=5_400).contains(&left), "{left}");
        assert!(allowed(&login, "bob").await);

        redis(&server.url(), &["unblock", "ann"]).status(2);
        redis(
            &server.url(),
            &["unblock", "ann", "--yes", "--zone", "login"],
        )
        .status(0);
        assert!(allowed(&login, "ann").await && !allowed(&search, "ann").await);
        redis(&server.url(), &["unblock", "ann", "--yes"]).status(0);
        assert!(allowed(&search, "ann").await);
        redis(&server.url(), &["unblock", "ann", "--yes"]).status(1);

        // An identity that was never counted is blocked in the zones that are given.
        let said = redis(&server.url(), &["block", "eve", "--for", "10m"]).status(1);
        assert!(said.err.contains("`--zone`"), "{said:?}");
        let zone = ["block", "eve", "--for", "10m", "--zone", "login"];
        redis(&server.url(), &zone).status(0);
        assert!(!allowed(&login, "eve").await && allowed(&search, "eve").await);
        let key = "throttle:{user=eve}:login:x";
        let left: i64 = server.cli(&["PTTL", key]);
        assert!((590_000..=600_100).contains(&left), "{left}");
    });
}

#[test]
fn shadow_limits_are_blocked_only_if_asked_for() {
    let server = Server::start(ServerVersion::Redis7);
    let url = server.url();
    redis(&url, &["block", "ann", "--for", "1h", "--zone", "z"]).status(0);
    let keys: Vec<String> = server.cli(&["KEYS", "*{*"]);
    assert_eq!(keys, ["throttle:{user=ann}:z:x"]);
    redis(
        &url,
        &["block", "ann", "--for", "1h", "--zone", "z", "--shadow"],
    )
    .status(0);
    let keys: Vec<String> = server.cli(&["KEYS", "*:X"]);
    assert_eq!(keys, ["throttle:{user=ann}:z:X"]);
}
