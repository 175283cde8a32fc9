//! Keys in Redis: their names, how long they live, and how much memory they take.

use std::time::Duration;

use actix_throttle::{Algorithm, Identity, Limit, Refill};

use super::{check, for_every_version, limiter, patient};
use harness::{Monitor, Server, stores::every_algorithm};

/// The key that is there while an identity may be blocked.
const MARKER: &str = "throttle:blocks";

fn keys(server: &Server) -> Vec<String> {
    let mut keys: Vec<String> = server.cli(&["KEYS", "*"]);
    keys.sort();
    keys
}

#[test]
fn keys_are_readable_and_in_one_slot_an_identity() {
    for_every_version(async |server| {
        let limiter = limiter(&server).await;
        for limit in every_algorithm(5, 20) {
            check(&limiter, &limit.zone("app::login")).await;
        }
        let expected = ["b", "c", "f", "i", "l", "t"]
            .map(|letter| format!("throttle:{{user=ann}}:app::login:{letter}20"));
        assert_eq!(keys(&server), expected);
    });
}

#[test]
fn secrets_are_hashed_in_keys_unless_plain_ones_are_asked_for() {
    const SECRET: &str = "sk_live_51H8secret";
    for_every_version(async |server| {
        let limit = Limit::per_minute(1).zone("z");
        let identities = [
            Identity::header("Authorization", SECRET),
            Identity::cookie("sid", SECRET),
            Identity::query("api_key", SECRET),
        ];
        for (plain, seen) in [(false, 0), (true, 3)] {
            let limiter = patient(&server).plain_keys(plain).build().await.unwrap();
            for identity in &identities {
                assert!(limiter.check(&limit, identity).await.unwrap().is_allowed());
                assert!(!limiter.check(&limit, identity).await.unwrap().is_allowed());
                limiter
                    .block(&limit, identity, Duration::from_secs(9))
                    .await
                    .unwrap();
            }
            let mut keys = keys(&server);
            keys.retain(|key| *key != MARKER);
            assert_eq!(keys.len(), 6, "{keys:?}");
            let shown = keys.iter().filter(|key| key.contains(SECRET)).count();
            assert_eq!(shown, 2 * seen, "{keys:?}");
            // `reset` computes the same keys as a check.
            for identity in &identities {
                limiter.reset(&limit, identity).await.unwrap();
            }
            // The marker of blocks stays for as long as the block would have.
            assert_eq!(self::keys(&server), [MARKER]);
        }
    });
}

#[test]
fn every_write_leaves_a_life_that_covers_what_is_counted() {
    for_every_version(async |server| {
        let limiter = limiter(&server).await;
        for limit in every_algorithm(5, 20) {
            for _ in 0..5 {
                let decision = check(&limiter, &limit).await;
                let reset = decision.limits()[0].reset_after();
                let reset = i64::try_from(reset.as_millis()).unwrap();
                let [key] = &keys(&server)[..] else {
                    panic!("one key, not {:?}", keys(&server));
                };
                let left: i64 = server.cli(&["PTTL", key]);
                // A bucket lives for at most twice what it needs, and a log for a quarter more. A
                // slow machine may have used up a part of the time before it asks.
                let most = match limit.algorithm_value() {
                    Algorithm::TokenBucket | Algorithm::LeakyBucket => 2 * reset + 2_000,
                    Algorithm::SlidingWindow => reset + reset / 4 + 2_000,
                    _ => reset,
                };
                assert!(
                    (reset - 2_000..=most + 110).contains(&left),
                    "{key}: {left} of {reset}"
                );
                assert!(left > 0, "{key}: {left}");
            }
            let _: String = server.cli(&["FLUSHALL"]);
        }
        let blocking = Limit::per_second(1)
            .zone("z")
            .block(Duration::from_secs(30));
        while check(&limiter, &blocking).await.is_allowed() {}
        let left: i64 = server.cli(&["PTTL", "throttle:{user=ann}:z:x"]);
        assert!((28_000..=30_100).contains(&left), "{left}");
    });
}

/// redis-rate-limiters lets a bucket's key live for one window, whatever the bucket owes.
#[test]
fn debt_forgotten_by_ttl() {
    for_every_version(async |server| {
        let limiter = limiter(&server).await;
        let bucket = Limit::per_second(1)
            .algorithm(Algorithm::TokenBucket)
            .capacity(100);
        for limit in [bucket, bucket.refill(Refill::Interval)] {
            check(&limiter, &limit.cost(100)).await;
            let left: i64 = server.cli(&["PTTL", &keys(&server)[0]]);
            assert!((90_000..=201_100).contains(&left), "{limit:?}: {left}");
            let _: String = server.cli(&["FLUSHALL"]);
        }
    });
}

#[test]
fn a_key_that_lost_its_life_heals() {
    for_every_version(async |server| {
        let limiter = limiter(&server).await;
        for limit in every_algorithm(5, 20) {
            let short =
                Limit::new(1, Duration::from_millis(300)).algorithm(limit.algorithm_value());
            assert!(check(&limiter, &short).await.is_allowed());
            for key in keys(&server) {
                let _: i64 = server.cli(&["PERSIST", &key]);
            }
            // The limit must not deny for ever: its state says when a wait ends, and not the key's
            // expiry. The expiry comes back once it would have been renewed anyway.
            let bound = std::time::Instant::now() + Duration::from_secs(10);
            let mut is_admitted = false;
            loop {
                is_admitted |= check(&limiter, &short).await.is_allowed();
                let lives = keys(&server).iter().all(|key| {
                    let left: i64 = server.cli(&["PTTL", key]);
                    left > 0
                });
                if is_admitted && lives {
                    break;
                }
                assert!(
                    std::time::Instant::now() < bound,
                    "{limit:?}: admitted {is_admitted}, lives {lives}"
                );
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            let _: String = server.cli(&["FLUSHALL"]);
        }
    });
}

#[test]
fn a_refund_leaves_no_empty_key_and_no_key_without_a_life() {
    for_every_version(async |server| {
        let limiter = limiter(&server).await;
        for limit in every_algorithm(5, 20) {
            let checks = [(&limit.cost(2), "ann")];
            let (_, first) = limiter.check_with_receipts(&checks).await.unwrap();
            let (second, more) = limiter.check_with_receipts(&checks).await.unwrap();
            limiter.refund_charged(first.clone()).await.unwrap();
            if second.is_allowed() {
                let left: i64 = server.cli(&["PTTL", &keys(&server)[0]]);
                assert!((1..=40_200).contains(&left), "{limit:?}: {left}");
                limiter.refund_charged(more).await.unwrap();
            }
            assert_eq!(keys(&server), [""; 0], "{limit:?}");
            // The refund of a charge that is gone creates no key.
            limiter.refund_charged(first).await.unwrap();
            assert_eq!(keys(&server), [""; 0], "{limit:?}");
        }
    });
}

#[test]
fn an_expired_key_is_gone() {
    for_every_version(async |server| {
        let limiter = limiter(&server).await;
        for limit in every_algorithm(5, 20) {
            let short = Limit::new(2, Duration::from_millis(50)).algorithm(limit.algorithm_value());
            check(&limiter, &short).await;
        }
        let bound = std::time::Instant::now() + Duration::from_secs(10);
        while !keys(&server).is_empty() {
            assert!(
                std::time::Instant::now() < bound,
                "{:?} stay",
                keys(&server)
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
}

#[test]
fn values_that_are_none_of_ours_are_overwritten() {
    for_every_version(async |server| {
        let limiter = limiter(&server).await;
        for limit in every_algorithm(5, 20) {
            check(&limiter, &limit).await;
            if limit.algorithm_value() == Algorithm::SlidingWindow {
                continue;
            }
            for key in keys(&server) {
                let _: String = server.cli(&["SET", &key, "nonsense"]);
            }
            assert!(check(&limiter, &limit).await.is_allowed(), "{limit:?}");
            let _: String = server.cli(&["FLUSHALL"]);
        }
    });
}

#[test]
fn one_decision_is_one_call_however_many_limits() {
    for_every_version(async |server| {
        // Denied checks must be calls too, so there is no denial cache.
        let builder = patient(&server).denial_cache(Duration::ZERO);
        let limiter = builder.build().await.unwrap();
        let limits: Vec<_> = every_algorithm(5, 20).into_iter().collect();
        let checks: Vec<_> = limits.iter().map(|limit| (limit, "ann")).collect();
        limiter.check_all(&checks).await.unwrap();
        let monitor = Monitor::start(&server);
        for _ in 0..5 {
            limiter.check_all(&checks).await.unwrap();
        }
        let commands: Vec<_> = monitor
            .commands()
            .into_iter()
            .map(|mut words| words.remove(0))
            .collect();
        assert_eq!(commands, ["EVALSHA"; 5]);
    });
}

#[test]
fn scripts_that_were_forgotten_are_sent_again() {
    for_every_version(async |server| {
        let limiter = limiter(&server).await;
        let limit = Limit::per_minute(10);
        for expected in (0..10).rev() {
            let _: String = server.cli(&["SCRIPT", "FLUSH"]);
            let decision = check(&limiter, &limit).await;
            assert_eq!(decision.limits()[0].remaining(), expected);
        }
        assert!(!check(&limiter, &limit).await.is_allowed());
    });
}

/// A log of a thousand admissions and the states of constant size are small, as measured by
/// `MEMORY USAGE`.
#[test]
fn states_are_small() {
    for_every_version(async |server| {
        let limiter = limiter(&server).await;
        let log = Limit::per_hour(1000).zone("z");
        for _ in 0..1000 {
            assert!(check(&limiter, &log).await.is_allowed());
        }
        let weight: f64 = server.cli(&["MEMORY", "USAGE", &keys(&server)[0], "SAMPLES", "0"]);
        assert!(
            weight / 1000.0 < 12.0,
            "{} bytes an admission",
            weight / 1000.0
        );
        let _: String = server.cli(&["FLUSHALL"]);

        for limit in &every_algorithm(5, 20)[1..] {
            check(&limiter, &limit.zone("z")).await;
        }
        for key in keys(&server) {
            let weight: u64 = server.cli(&["MEMORY", "USAGE", &key]);
            assert!(weight <= 120, "{key}: {weight} bytes");
        }
    });
}
