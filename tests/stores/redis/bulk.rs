//! Resets of many identities and looks at one, as only Redis can show them: permissions, many keys,
//! foreign keys, several processes, and the clock of the server.

use std::{
    future::IntoFuture,
    sync::{Arc, Mutex},
    time::Duration,
};

use actix_throttle::{CircuitState, Event, Limit, Observer, UsageState};
use futures_util::future::join;
use tokio::time::timeout;

use super::{DECIDING, for_every_version, limiter, patient};
use harness::{
    Server, ServerVersion, eventually_async,
    stores::{block_on, every_algorithm},
};

const LOGIN: Limit = Limit::per_hour(1).zone("login");

fn set_user(server: &Server, more: &[&str]) {
    let user = ["ACL", "SETUSER", "app", "reset", "on", ">pw", "~throttle:*"];
    let _: String = server.cli(&[&user[..], &DECIDING[..], &["+ping"], more].concat());
}

#[test]
fn missing_permission_is_an_error_and_no_incident() {
    block_on(async {
        let server = Server::start(ServerVersion::Redis7);
        set_user(&server, &[]);
        let url = format!("redis://app:pw@127.0.0.1:{}", server.port());
        let limiter = patient(&server).redis_url(url).failure_threshold(2);
        let limiter = limiter.build().await.unwrap();
        assert!(limiter.check(&LOGIN, "ann").await.unwrap().is_allowed());
        for _ in 0..5 {
            let error = limiter.peek_identity("ann").await.unwrap_err().to_string();
            assert!(
                error.contains("scan") && error.contains("redis_acl"),
                "{error}"
            );
            let error = limiter.reset_all().await.unwrap_err().to_string();
            assert!(error.contains("scan"), "{error}");
        }
        set_user(&server, &["+scan"]);
        let error = limiter.reset_limit(&LOGIN).await.unwrap_err().to_string();
        assert!(error.contains("unlink"), "{error}");
        assert_eq!(limiter.circuit(), CircuitState::Closed);
        assert!(!limiter.check(&LOGIN, "ann").await.unwrap().is_allowed());
        // The guide grants these for resets of many and looks at an identity.
        set_user(&server, &["+scan", "+unlink", "+pttl", "+get"]);
        for limit in every_algorithm(5, 60) {
            limiter.check(&limit.zone("all"), "ann").await.unwrap();
        }
        let usage = limiter.peek_identity("ann").await.unwrap();
        assert_eq!(usage.limits().len(), 7, "{usage:?}");
        for limit in usage.limits() {
            let used = matches!(limit.state(), UsageState::Used { used: 1, .. });
            assert!(used, "{limit:?}");
        }
        assert_eq!(limiter.reset_all().await.unwrap().deleted(), 7);
    });
}

/// An observer that remembers the resets of a policy.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<(String, u64, bool)>>>);

impl Observer for Heard {
    fn observe(&self, event: &Event<'_>) {
        if let Event::PolicyReset {
            policy,
            deleted,
            is_complete,
            ..
        } = *event
        {
            let event = (policy.to_owned(), deleted, is_complete);
            self.0.lock().unwrap().push(event);
        }
    }
}

/// Redis refuses some of the deletions, in the middle of others.
#[test]
fn reset_that_fails_halfway_is_told_with_what_it_has_deleted() {
    block_on(async {
        let server = Server::start(ServerVersion::Redis7);
        let filling = limiter(&server).await;
        for index in 0..20 {
            for user in ["ann", "bob"] {
                let user = format!("{user}{index}");
                filling.check(&LOGIN, &*user).await.unwrap();
            }
        }
        set_user(&server, &["+scan", "+unlink"]);
        let may_delete = |pattern: &str| {
            let user = ["ACL", "SETUSER", "app", "resetkeys", pattern];
            let _: String = server.cli(&user);
        };
        let heard = Heard::default();
        let url = format!("redis://app:pw@127.0.0.1:{}", server.port());
        let limiter = patient(&server).redis_url(url).observer(heard.clone());
        let limiter = limiter.build().await.unwrap();

        may_delete("~throttle:{user=nobody*");
        let error = limiter.reset_limit(&LOGIN).await.unwrap_err().to_string();
        assert!(!error.contains("were deleted"), "{error}");
        assert!(heard.0.lock().unwrap().is_empty(), "nothing was deleted");

        may_delete("~throttle:{user=ann*");
        let error = limiter.reset_limit(&LOGIN).await.unwrap_err().to_string();
        assert!(error.contains("20 keys were deleted before"), "{error}");
        assert_eq!(*heard.0.lock().unwrap(), [("login".to_owned(), 20, false)]);
        assert_eq!(server.cli::<i64>(&["DBSIZE"]), 20);

        may_delete("~throttle:*");
        heard.0.lock().unwrap().clear();
        let report = limiter.reset_limit(&LOGIN).await.unwrap();
        assert!(report.is_complete(), "{report:?}");
        assert_eq!(*heard.0.lock().unwrap(), [("login".to_owned(), 20, true)]);
    });
}

#[test]
fn many_keys_are_scanned_in_steps_and_foreign_ones_stay() {
    for_every_version(async |server| {
        let limiter = limiter(&server).await;
        for index in 0..3_000 {
            let name = format!("user{index}");
            limiter.check(&LOGIN, &*name).await.unwrap();
        }
        let _: String = server.cli(&["SET", "throttle:{cart}", "1"]);
        let _: String = server.cli(&["SET", "throttled:{user=ann}:login:l3600", "1"]);
        let report = limiter.reset_zone("login").max_keys(1_000).await.unwrap();
        assert!(!report.is_complete(), "{report:?}");
        assert!((1..=1_200).contains(&report.deleted()), "{report:?}");
        let rest = limiter.reset_zone("login").await.unwrap();
        assert!(rest.is_complete());
        assert_eq!(report.deleted() + rest.deleted(), 3_000);
        let left: i64 = server.cli(&["DBSIZE"]);
        assert_eq!(left, 2);
    });
}

#[test]
fn usage_is_that_of_the_servers_clock() {
    for_every_version(async |server| {
        let limiter = limiter(&server).await;
        for limit in every_algorithm(5, 60) {
            limiter.check(&limit, "ann").await.unwrap();
        }
        let usage = limiter.peek_identity("ann").await.unwrap();
        assert_eq!(usage.limits().len(), 6);
        for limit in usage.limits() {
            let UsageState::Used {
                used, reset_after, ..
            } = limit.state()
            else {
                panic!("{limit:?}");
            };
            assert_eq!(used, 1, "{limit:?}");
            let reset = reset_after.expect("it is known");
            assert!(reset <= Duration::from_secs(120), "{limit:?}");
        }
    });
}

/// A waiter asks again although the store has promised room in an hour only.
#[test]
fn waiter_finds_what_another_process_resets_or_unblocks() {
    block_on(async {
        let server = Server::start(ServerVersion::Redis7);
        let build = async || patient(&server).build().await.unwrap();
        let (one, other) = (build().await, build().await);
        const SOON: Duration = Duration::from_secs(5);
        assert!(one.check(&LOGIN, "ann").await.unwrap().is_allowed());
        let (waiter, reset) = join(
            timeout(SOON, one.acquire(&LOGIN, "ann").into_future()),
            async {
                tokio::time::sleep(Duration::from_millis(100)).await;
                other.reset(&LOGIN, "ann").await
            },
        )
        .await;
        reset.unwrap();
        waiter.expect("it is found").unwrap();
        let hour = Duration::from_secs(3600);
        other.block(&LOGIN, "ben", hour).await.unwrap();
        let (waiter, ended) = join(
            timeout(SOON, one.acquire(&LOGIN, "ben").into_future()),
            async {
                tokio::time::sleep(Duration::from_millis(100)).await;
                other.unblock(&LOGIN, "ben").await
            },
        )
        .await;
        ended.unwrap();
        waiter.expect("it is found").unwrap();
    });
}

/// A reset of many clears the denial cache of its own process. Another process forgets a denial
/// once that is older than its cache keeps it.
#[test]
fn processes_forget_denials_at_once_or_soon() {
    block_on(async {
        let server = Server::start(ServerVersion::Redis7);
        let build = async || {
            let builder = patient(&server).denial_cache(Duration::from_secs(1));
            builder.build().await.unwrap()
        };
        let (one, other) = (build().await, build().await);
        for limiter in [&one, &other] {
            while limiter.check(&LOGIN, "ann").await.unwrap().is_allowed() {}
        }
        assert_eq!(one.reset_limit(&LOGIN).await.unwrap().deleted(), 1);
        assert_eq!(one.remaining(&LOGIN, "ann").await.unwrap(), 1);
        eventually_async("the other admits", Duration::from_secs(5), async || {
            other.check(&LOGIN, "ann").await.unwrap().is_allowed()
        })
        .await;
        assert_eq!(other.reset_limit(&LOGIN).await.unwrap().deleted(), 1);
        assert!(other.check(&LOGIN, "ann").await.unwrap().is_allowed());
    });
}
