//! A connection that lost its server reconnects in the background, with backoff and jitter, and
//! costs requests nothing meanwhile.

use std::{
    io::Read,
    net::TcpListener,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use actix_throttle::{FailureMode, Limit, RateLimiter};
use tokio::time::sleep;

use super::{check, clients, limiter, patient, until_decided};
use harness::{Server, ServerVersion, stores::block_on};

const LIMIT: Limit = Limit::per_minute(1_000);
/// The longest backoff between two attempts, and what a busy test machine adds to it.
const BACK: Duration = Duration::from_secs(4);

/// A listener that counts the clients that connect, and hangs up on them.
struct Door {
    url: String,
    knocks: Arc<AtomicUsize>,
}

impl Door {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("redis://{}", listener.local_addr().unwrap());
        let knocks = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&knocks);
        thread::spawn(move || {
            for stream in listener.incoming() {
                count.fetch_add(1, Ordering::Relaxed);
                // Hang up only after the client has sent something: until then it counts as
                // connecting.
                let _ = stream.unwrap().read(&mut [0; 64]);
            }
        });
        Self { url, knocks }
    }

    fn knocks(&self) -> usize {
        self.knocks.load(Ordering::Relaxed)
    }

    /// A limiter with the default deadline and circuit breaker.
    async fn default_limiter(&self) -> RateLimiter {
        let builder = RateLimiter::builder().redis_url(self.url.as_str());
        let builder = builder.failure_mode(FailureMode::Closed);
        builder.build().await.unwrap()
    }

    async fn limiter(&self) -> RateLimiter {
        let builder = RateLimiter::builder().redis_url(self.url.as_str());
        builder
            .deadline(Duration::from_secs(5))
            .failure_mode(FailureMode::Closed)
            .build()
            .await
            .unwrap()
    }
}

#[test]
fn while_it_backs_off_requests_get_the_error_at_once() {
    let door = Door::new();
    block_on(async {
        let limiter = door.limiter().await;
        let start = Instant::now();
        for _ in 0..1_000 {
            assert!(limiter.check(&LIMIT, "ann").await.is_err());
        }
        assert!(
            start.elapsed() < Duration::from_secs(1),
            "{:?}",
            start.elapsed()
        );
    });
}

#[test]
fn attempts_are_few_and_none_is_a_requests_own() {
    let door = Door::new();
    block_on(async {
        let limiter = door.default_limiter().await;
        let end = Instant::now() + Duration::from_secs(3);
        while Instant::now() < end {
            assert!(limiter.check(&LIMIT, "ann").await.is_err());
            sleep(Duration::from_millis(1)).await;
        }
        // The start-up check has connected twice.
        let attempts = door.knocks() - 2;
        // Some attempts fall within the first 0.3 s. The backoff then doubles from 0.25 s, and
        // jitter leaves at least half of it.
        assert!((3..=12).contains(&attempts), "{attempts}");
    });
}

#[test]
fn each_worker_makes_one_attempt_at_a_time() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("redis://{}", silent.local_addr().unwrap());
    let builder = RateLimiter::builder().redis_url(url);
    let builder = builder.failure_mode(FailureMode::Closed);
    let limiter = block_on(builder.build()).unwrap();
    silent.set_nonblocking(true).unwrap();
    // Discard the connections of `build`, whose runtime has ended.
    while silent.accept().is_ok() {}
    let count = thread::spawn(move || {
        let end = Instant::now() + Duration::from_millis(1_500);
        let mut streams = Vec::new();
        while Instant::now() < end {
            // Keep the streams open, so that the clients go on waiting for a reply.
            streams.extend(silent.accept());
            thread::sleep(Duration::from_millis(5));
        }
        streams.len()
    });
    let workers: Vec<_> = (0..3)
        .map(|_| {
            let limiter = limiter.clone();
            thread::spawn(move || {
                block_on(async {
                    let asks = (0..20).map(|_| {
                        let limiter = limiter.clone();
                        tokio::spawn(async move { limiter.check(&LIMIT, "ann").await.is_err() })
                    });
                    for ask in asks.collect::<Vec<_>>() {
                        assert!(ask.await.unwrap());
                    }
                    sleep(Duration::from_millis(1_000)).await;
                });
            })
        })
        .collect();
    for worker in workers {
        worker.join().unwrap();
    }
    assert_eq!(count.join().unwrap(), 3);
}

#[test]
fn lost_connection_is_restored_without_a_request() {
    let mut server = Server::start(ServerVersion::Redis7);
    block_on(async {
        let limiter = limiter(&server).await;
        check(&limiter, &LIMIT).await;
        server.kill();
        assert!(limiter.check(&LIMIT, "ann").await.is_err());
        sleep(Duration::from_millis(300)).await;
        server.restart();
        let bound = Instant::now() + BACK;
        while clients(&server) == 0 {
            assert!(Instant::now() < bound, "no connection");
            sleep(Duration::from_millis(20)).await;
        }
        // The first request finds the connection ready.
        check(&limiter, &LIMIT).await;
        assert_eq!(clients(&server), 1);
    });
}

#[test]
fn a_limiter_that_is_dropped_or_closed_stops_trying() {
    let door = Door::new();
    block_on(async {
        let limiter = door.limiter().await;
        assert!(limiter.check(&LIMIT, "ann").await.is_err());
        drop(limiter);
        sleep(Duration::from_millis(50)).await;
        let knocks = door.knocks();
        sleep(Duration::from_secs(2)).await;
        assert_eq!(door.knocks(), knocks);

        let builder = RateLimiter::builder().redis_url(door.url.as_str());
        builder.init().await.unwrap();
        let limiter = RateLimiter::global().unwrap();
        RateLimiter::close().await;
        sleep(Duration::from_millis(50)).await;
        let knocks = door.knocks();
        sleep(Duration::from_secs(2)).await;
        assert_eq!(door.knocks(), knocks);
        drop(limiter);
    });
}

#[test]
fn server_refusing_writes_is_not_flooded_with_connections() {
    let server = Server::start(ServerVersion::Redis7);
    block_on(async {
        let limiter = limiter(&server).await;
        check(&limiter, &LIMIT).await;
        let _: String = server.cli(&["REPLICAOF", "127.0.0.1", "1"]);
        let made = || -> usize {
            let info: String = server.cli(&["INFO", "stats"]);
            let line = info
                .lines()
                .find_map(|line| line.strip_prefix("total_connections_received:"));
            line.unwrap().trim().parse().unwrap()
        };
        let before = made();
        let end = Instant::now() + Duration::from_secs(2);
        while Instant::now() < end {
            assert!(limiter.check(&LIMIT, "ann").await.is_err());
            sleep(Duration::from_millis(1)).await;
        }
        let after = made();
        // Requests come all the time and no circuit breaker opens: at most ten connections a
        // second.
        assert!(after - before <= 22, "{}", after - before);
        let _: String = server.cli(&["REPLICAOF", "NO", "ONE"]);
        until_decided(&limiter, &LIMIT, BACK).await;
    });
}

#[test]
fn requests_that_are_dropped_leave_nothing_stuck() {
    let server = Server::start(ServerVersion::Redis7);
    block_on(async {
        let limiter = patient(&server).build().await.unwrap();
        server.stop();
        for _ in 0..20 {
            let check = limiter.check(&LIMIT, "ann");
            assert!(
                tokio::time::timeout(Duration::from_millis(5), check)
                    .await
                    .is_err()
            );
        }
        server.resume();
        check(&limiter, &LIMIT).await;
        assert_eq!(clients(&server), 1);
    });
}

#[test]
fn a_server_that_was_slow_for_a_while_keeps_its_connection() {
    let server = Server::start(ServerVersion::Redis7);
    block_on(async {
        let builder = RateLimiter::builder().redis_url(server.url());
        let builder = builder
            .deadline(Duration::from_millis(100))
            .failure_mode(FailureMode::Closed);
        let limiter = builder.build().await.unwrap();
        until_decided(&limiter, &LIMIT, BACK).await;
        let made: i64 = server.cli(&["CLIENT", "ID"]);
        server.stop();
        assert!(limiter.check(&LIMIT, "ann").await.is_err());
        server.resume();
        until_decided(&limiter, &LIMIT, BACK).await;
        let since: i64 = server.cli(&["CLIENT", "ID"]);
        // The two `CLIENT ID` calls are the only new connections.
        assert_eq!(since - made, 1);
    });
}
