//! Permits in Redis: their key, and processes that are killed or lose their connection.

use std::time::{Duration, Instant};

use actix_throttle::{Concurrency, Limit, RateLimiter, Semaphore};

use super::{for_every_version, limiter, patient};
use harness::{
    Mode, Process, Proxy, Server, ServerVersion,
    stores::{block_on, until},
};

const EXPIRY: Duration = Duration::from_millis(1_500);

async fn free(semaphore: &Semaphore) -> u32 {
    semaphore.peek().await.unwrap().limits()[0].remaining()
}

#[test]
fn permit_key_expires_with_last_deadline_or_permit() {
    for_every_version(async |server| {
        let limiter = limiter(&server).await;
        let limit = Concurrency::new(5)
            .zone("z")
            .expiry(Duration::from_secs(20));
        let semaphore = limiter.semaphore(&limit, "ann");
        let held = [
            semaphore.acquire().await.unwrap(),
            semaphore.acquire().await.unwrap(),
        ];
        let keys: Vec<String> = server.cli(&["KEYS", "*"]);
        assert_eq!(keys, ["throttle:{user=ann}:z:p"]);
        let left: i64 = server.cli(&["PTTL", &keys[0]]);
        assert!((15_000..=20_110).contains(&left), "{left}");
        let permits: i64 = server.cli(&["ZCARD", &keys[0]]);
        assert_eq!(permits, 2);
        for guard in held {
            guard.release().await;
        }
        let keys: Vec<String> = server.cli(&["KEYS", "*"]);
        assert!(keys.is_empty(), "{keys:?}");
    });
}

/// The permits of a killed process are free after the expiry: not while the process lives, however
/// long, and not before its last renewal expires.
#[test]
fn permits_of_killed_process_return_after_expiry() {
    for_every_version(async |server| {
        let limiter = limiter(&server).await;
        let limit = Concurrency::new(3).expiry(EXPIRY);
        let semaphore = limiter.semaphore(&limit, "ann");
        let (url, expiry) = (server.url(), EXPIRY.as_millis().to_string());
        let environment = [
            ("REDIS_URL", url.as_str()),
            ("PREFIX", "throttle"),
            ("MAX", "3"),
            ("EXPIRY_MILLIS", &expiry),
        ];
        let mut processes =
            Process::start_copies(3, env!("CARGO_BIN_EXE_permit_holder"), &environment);
        until("all hold", async || free(&semaphore).await == 0).await;
        // The time is twice the expiry, so that the permits must be renewed.
        let start = Instant::now();
        while start.elapsed() < 2 * EXPIRY {
            assert!(semaphore.try_acquire().await.unwrap().is_none());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        // SIGKILL: the processes release nothing.
        drop(processes.pop());
        drop(processes.pop());
        let killed = Instant::now();
        // The last renewal before the kill was at most a third of the expiry ago, so two thirds are
        // left.
        let too_soon = EXPIRY / 2;
        while killed.elapsed() < too_soon {
            assert_eq!(free(&semaphore).await, 0, "after {:?}", killed.elapsed());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        until("the dead have gone", async || free(&semaphore).await == 2).await;
        assert!(killed.elapsed() < EXPIRY + Duration::from_secs(1));
        tokio::time::sleep(EXPIRY).await;
        assert_eq!(free(&semaphore).await, 2, "the third lives and renews");
    });
}

/// A cancelled request leaves no permit and no charge, whenever it is cancelled.
#[test]
fn request_cancelled_during_call_holds_no_permit() {
    for_every_version(async |server| {
        let limiter = limiter(&server).await;
        // The expiry is far longer than the test, so no permit returns by itself.
        let limit = Concurrency::new(1).expiry(Duration::from_secs(3_600));
        let semaphore = limiter.semaphore(&limit, "ann");
        for micros in (0..3_000).step_by(50) {
            let leaves = semaphore.try_acquire();
            let left = tokio::time::timeout(Duration::from_micros(micros), leaves).await;
            drop(left);
        }
        until("the permit is free", async || free(&semaphore).await == 1).await;
        let rate = Limit::per_hour(1);
        for micros in (0..3_000).step_by(50) {
            let leaves = limiter.try_acquire(&rate, "ann");
            let left = tokio::time::timeout(Duration::from_micros(micros), leaves).await;
            if let Ok(Ok(Some(permit))) = left {
                permit.refund().await;
            }
        }
        until("nothing is charged", async || {
            limiter.remaining(&rate, "ann").await.unwrap() == 1
        })
        .await;
    });
}

/// The number of permits that the server has granted so far.
fn charged(server: &Server) -> u32 {
    let info: String = server.cli(&["INFO", "commandstats"]);
    let calls = info.split_once("cmdstat_zadd:calls=");
    let calls = calls.and_then(|(_, rest)| rest.split(',').next());
    calls.map_or(0, |calls| calls.parse().unwrap())
}

/// A limiter behind a proxy that fails when the test says so, with a short deadline.
async fn behind_a_proxy(server: &Server) -> (Proxy, RateLimiter) {
    let proxy = Proxy::start(server.port());
    let through = patient(server)
        .redis_url(proxy.url())
        .deadline(Duration::from_millis(200));
    let through = through.build().await.unwrap();
    (proxy, through)
}

/// A release that did not arrive is sent again.
#[test]
fn permits_are_released_after_an_outage() {
    block_on(async {
        let server = Server::start(ServerVersion::Redis7);
        let (proxy, through) = behind_a_proxy(&server).await;
        let limit = Concurrency::new(1).expiry(Duration::from_secs(60));
        let held = through.semaphore(&limit, "ann").acquire().await.unwrap();
        let direct = limiter(&server).await;
        let semaphore = direct.semaphore(&limit, "ann");
        proxy.set(Mode::Refuse);
        drop(held);
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert_eq!(free(&semaphore).await, 0, "it could not be said");
        proxy.set(Mode::Pass);
        until("the permit is free", async || free(&semaphore).await == 1).await;
    });
}

/// A permit is released if the server granted it and the reply came after the deadline.
#[test]
fn permits_of_a_late_reply_are_released() {
    block_on(async {
        let server = Server::start(ServerVersion::Redis7);
        let (proxy, through) = behind_a_proxy(&server).await;
        let limit = Concurrency::new(1).expiry(Duration::from_secs(3_600));
        let semaphore = through.semaphore(&limit, "ann");
        semaphore.acquire().await.unwrap().release().await;
        let direct = limiter(&server).await;
        let before = charged(&server);
        proxy.set(Mode::Stall);
        assert!(semaphore.try_acquire().await.is_err());
        // The release reaches the server as the request did; only replies are held back.
        assert_eq!(charged(&server), before + 1);
        let direct = direct.semaphore(&limit, "ann");
        proxy.set(Mode::Pass);
        until("the permit is free", async || free(&direct).await == 1).await;
    });
}
