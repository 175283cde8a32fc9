//! One link a worker, and what becomes of it.

use std::time::Duration;

use actix_throttle::{Limit, RateLimiter, deadpool_redis};

use super::{check, limiter, patient};
use crate::{
    harness::{Flavour, Server},
    stores::block_on,
};

/// How many clients the server has, besides the one that asks.
fn clients(server: &Server) -> usize {
    let list: String = server.cli(&["CLIENT", "LIST", "TYPE", "normal"]);
    list.lines().count() - 1
}

async fn until_clients(server: &Server, wanted: usize) {
    let bound = std::time::Instant::now() + Duration::from_secs(10);
    while clients(server) != wanted {
        assert!(
            std::time::Instant::now() < bound,
            "{} clients, not {wanted}",
            clients(server)
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[test]
fn a_worker_makes_one_connection_however_many_ask_at_once() {
    let server = Server::start(Flavour::Redis7);
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
        assert_eq!(clients(&server), 1);
    });
}

#[test]
fn a_pool_smaller_than_the_workers_is_no_dead_end() {
    let server = Server::start(Flavour::Redis7);
    let mut config = deadpool_redis::Config::from_url(server.url());
    config.pool = Some(deadpool_redis::PoolConfig::new(1));
    let pool = config
        .create_pool(Some(deadpool_redis::Runtime::Tokio1))
        .unwrap();
    let limiter = block_on(
        RateLimiter::builder()
            .redis(pool)
            .deadline(Duration::from_secs(5))
            .build(),
    )
    .unwrap();
    let workers: Vec<_> = (0..4)
        .map(|_| {
            let limiter = limiter.clone();
            std::thread::spawn(move || {
                block_on(async { check(&limiter, &Limit::per_minute(2)).await.is_allowed() })
            })
        })
        .collect();
    let admitted = workers.into_iter().map(|worker| worker.join().unwrap());
    assert_eq!(admitted.filter(|admitted| *admitted).count(), 2);
}

#[test]
fn a_runtime_that_ends_takes_its_link_along_and_the_next_makes_its_own() {
    let server = Server::start(Flavour::Redis7);
    let limiter = block_on(limiter(&server));
    for expected in [true, true, false] {
        let allowed = block_on(check(&limiter, &Limit::per_minute(2))).is_allowed();
        assert_eq!(allowed, expected);
    }
    block_on(until_clients(&server, 0));
}

#[test]
fn without_a_runtime_there_is_an_error_and_no_panic() {
    let server = Server::start(Flavour::Redis7);
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
    let server = Server::start(Flavour::Redis7);
    block_on(async {
        let limiter = limiter(&server).await;
        let limit = Limit::per_minute(100);
        check(&limiter, &limit).await;
        let _: i64 = server.cli(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
        // The first may find out; nothing is charged twice for it.
        let _ = limiter.check(&limit, "ann").await;
        let decision = check(&limiter, &limit).await;
        assert!((97..=98).contains(&decision.limits()[0].remaining()));
        assert_eq!(clients(&server), 1);
    });
}

#[test]
fn closing_leaves_no_connection_and_init_may_follow() {
    let server = Server::start(Flavour::Redis7);
    block_on(async {
        for _ in 0..3 {
            patient(&server).init().await.unwrap();
            let limiter = RateLimiter::global().unwrap();
            check(&limiter, &Limit::per_minute(9)).await;
            assert_eq!(clients(&server), 1);
            drop(limiter);
            RateLimiter::close().await;
            assert!(RateLimiter::global().is_none());
            until_clients(&server, 0).await;
        }
    });
}
