//! The one connection of each worker, and what becomes of it.

use std::time::Duration;

use actix_throttle::{FailureMode, Limit, RateLimiter, deadpool_redis};

use super::{check, for_every_version, limiter, patient};
use harness::{Mode, Proxy, Server, ServerVersion, eventually_async, stores::block_on};

async fn until_clients(server: &Server, wanted: usize) {
    let what = format!("{wanted} clients");
    eventually_async(&what, Duration::from_secs(10), async || {
        server.clients() == wanted
    })
    .await;
}

#[test]
fn a_worker_makes_one_connection_however_many_ask_at_once() {
    let server = Server::start(ServerVersion::Redis7);
    block_on(async {
        let limiter = limiter(&server).await;
        let checks = (0..200).map(|_| {
            let limiter = limiter.clone();
            tokio::spawn(async move { check(&limiter, &Limit::per_minute(50)).await.is_allowed() })
        });
        let mut admitted = 0;
        for check in checks.collect::<Vec<_>>() {
            admitted += usize::from(check.await.unwrap());
        }
        assert_eq!(admitted, 50);
        assert_eq!(server.clients(), 1);
    });
}

#[test]
fn a_pool_that_the_application_holds_is_no_dead_end() {
    let server = Server::start(ServerVersion::Redis7);
    let mut config = deadpool_redis::Config::from_url(server.url());
    config.pool = Some(deadpool_redis::PoolConfig::new(1));
    let pool = config
        .create_pool(Some(deadpool_redis::Runtime::Tokio1))
        .unwrap();
    let limiter = block_on(async {
        let _held = pool.get().await.unwrap();
        let limiter = RateLimiter::builder()
            .redis(pool.clone())
            .deadline(Duration::from_secs(5));
        let limiter = limiter.build().await.unwrap();
        assert!(check(&limiter, &Limit::per_minute(3)).await.is_allowed());
        limiter
    });
    let workers: Vec<_> = (0..4)
        .map(|_| {
            let limiter = limiter.clone();
            std::thread::spawn(move || {
                block_on(async { check(&limiter, &Limit::per_minute(3)).await.is_allowed() })
            })
        })
        .collect();
    let admitted = workers.into_iter().map(|worker| worker.join().unwrap());
    assert_eq!(admitted.filter(|admitted| *admitted).count(), 2);
}

#[test]
fn threads_of_one_runtime_share_a_link_and_leave_none_behind() {
    let server = Server::start(ServerVersion::Redis7);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let limiter = limiter(&server).await;
        for _ in 0..20 {
            let (limiter, handle) = (limiter.clone(), tokio::runtime::Handle::current());
            let asked = std::thread::spawn(move || {
                handle.block_on(async { check(&limiter, &Limit::per_minute(100)).await })
            });
            asked.join().unwrap();
        }
        assert_eq!(server.clients(), 1);
    });
}

/// Connecting takes several times as long as a decision. It must not have to fit the deadline of
/// one request, or no request would ever be decided.
#[test]
fn a_server_at_a_distance_is_reached_in_the_end() {
    let server = Server::start(ServerVersion::Redis7);
    let proxy = Proxy::start(server.port());
    proxy.set(Mode::Delay(Duration::from_millis(60)));
    let limiter = block_on(
        RateLimiter::builder()
            .redis_url(proxy.url())
            .deadline(Duration::from_millis(180))
            .failure_mode(FailureMode::Closed)
            .failure_threshold(u32::MAX)
            .build(),
    )
    .unwrap();
    block_on(async {
        let limit = Limit::per_minute(1);
        let bound = std::time::Instant::now() + Duration::from_secs(10);
        while limiter.check(&limit, "ann").await.is_err() {
            assert!(std::time::Instant::now() < bound, "never decided");
        }
        // The quota of one was charged once, whatever replies came late, so another request is
        // denied.
        assert!(!limiter.check(&limit, "ann").await.unwrap().is_allowed());
    });
}

#[test]
fn a_server_that_has_become_a_replica_is_left() {
    for_every_version(async |server| {
        let limiter = limiter(&server).await;
        let limit = Limit::per_minute(100);
        check(&limiter, &limit).await;
        let ids = || {
            let list: String = server.cli(&["CLIENT", "LIST", "TYPE", "normal"]);
            let ids = list.lines().filter(|line| !line.contains("cmd=client"));
            ids.map(|line| line.split(' ').next().unwrap().to_owned())
                .collect::<Vec<_>>()
        };
        let before = ids();
        // The address of a master does not matter: the replica never gets to connect to it.
        let _: String = server.cli(&["REPLICAOF", "127.0.0.1", "1"]);
        assert!(limiter.check(&limit, "ann").await.is_err());
        let _: String = server.cli(&["REPLICAOF", "NO", "ONE"]);
        check(&limiter, &limit).await;
        assert_ne!(ids(), before);
    });
}

#[test]
fn runtime_that_ends_closes_its_connection() {
    let server = Server::start(ServerVersion::Redis7);
    let limiter = block_on(limiter(&server));
    for expected in [true, true, false] {
        let allowed = block_on(check(&limiter, &Limit::per_minute(2))).is_allowed();
        assert_eq!(allowed, expected);
    }
    block_on(until_clients(&server, 0));
}

#[test]
fn without_a_runtime_there_is_an_error_and_no_panic() {
    let server = Server::start(ServerVersion::Redis7);
    let limiter = block_on(limiter(&server));
    let limit = Limit::per_minute(1);
    let mut decision = std::pin::pin!(limiter.check(&limit, "ann"));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(matches!(
        decision.as_mut().poll(&mut context),
        std::task::Poll::Ready(Err(_))
    ));
}

#[test]
fn a_killed_connection_costs_one_answer_and_is_remade() {
    let server = Server::start(ServerVersion::Redis7);
    block_on(async {
        let limiter = limiter(&server).await;
        let limit = Limit::per_minute(100);
        check(&limiter, &limit).await;
        let _: i64 = server.cli(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
        // The first request may fail on the killed connection; nothing is charged twice for it.
        let _ = limiter.check(&limit, "ann").await;
        let decision = check(&limiter, &limit).await;
        assert!((97..=98).contains(&decision.limits()[0].remaining()));
        assert_eq!(server.clients(), 1);
    });
}

#[test]
fn closing_leaves_no_connection_and_init_may_follow() {
    let server = Server::start(ServerVersion::Redis7);
    block_on(async {
        for _ in 0..3 {
            patient(&server).init().await.unwrap();
            let limiter = RateLimiter::global().unwrap();
            check(&limiter, &Limit::per_minute(9)).await;
            assert_eq!(server.clients(), 1);
            drop(limiter);
            RateLimiter::close().await;
            assert!(RateLimiter::global().is_none());
            until_clients(&server, 0).await;
        }
    });
}
