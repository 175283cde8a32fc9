//! Plain checks: what their calls name, and how they learn of blocks.

use std::time::{Duration, Instant};

use actix_throttle::{Algorithm, Limit, RateLimiter};
use futures_util::future::{join, join_all};

use super::{for_every_version, patient};
use harness::{Monitor, Server, stores::every_algorithm};

const LIMIT: Limit = Limit::per_minute(100)
    .zone("z")
    .algorithm(Algorithm::FixedWindow);

/// A limiter whose denials are calls, too.
async fn asking(server: &Server) -> RateLimiter {
    patient(server)
        .denial_cache(Duration::ZERO)
        .build()
        .await
        .unwrap()
}

/// The keys of each script call.
fn named(monitor: Monitor) -> Vec<Vec<String>> {
    let calls = monitor
        .commands()
        .into_iter()
        .filter(|words| words[0] == "EVALSHA");
    calls
        .map(|words| {
            let count: usize = words[2].parse().unwrap();
            words[3..3 + count].to_vec()
        })
        .collect()
}

#[test]
fn a_plain_check_names_its_counter_and_the_marker() {
    for_every_version(async |server| {
        let limiter = asking(&server).await;
        for limit in every_algorithm(5, 20) {
            limiter.check(&limit.zone("z"), "ann").await.unwrap();
        }
        let monitor = Monitor::start(&server);
        let limits = every_algorithm(5, 20);
        for limit in &limits {
            limiter.check(&limit.zone("z"), "ann").await.unwrap();
        }
        let named = named(monitor);
        assert_eq!(named.len(), limits.len());
        for keys in named {
            assert_eq!(keys.len(), 2, "{keys:?}");
            let markers = keys.iter().filter(|key| *key == "throttle:blocks");
            assert_eq!(markers.count(), 1, "{keys:?}");
        }
    });
}

#[test]
fn a_block_of_another_process_holds_at_once_and_ends_at_once() {
    for_every_version(async |server| {
        let (here, elsewhere) = (asking(&server).await, asking(&server).await);
        for limit in every_algorithm(100, 60) {
            let limit = limit.zone("z");
            let (ann, bob) = ("ann", "bob");
            let is_admitted = async |name| here.check(&limit, name).await.unwrap().is_allowed();
            assert!(is_admitted(ann).await, "{limit:?}");
            elsewhere
                .block(&limit, ann, Duration::from_secs(60))
                .await
                .unwrap();
            let denied = here.check(&limit, ann).await.unwrap();
            assert!(
                !denied.is_allowed() && denied.limits()[0].is_blocked(),
                "{limit:?}"
            );
            assert!(is_admitted(bob).await, "{limit:?}");
            elsewhere.unblock(&limit, ann).await.unwrap();
            elsewhere.reset(&limit, bob).await.unwrap();
            elsewhere.reset(&limit, ann).await.unwrap();
            assert!(
                is_admitted(ann).await && is_admitted(bob).await,
                "{limit:?}"
            );
            for name in [ann, bob] {
                elsewhere.reset(&limit, name).await.unwrap();
            }
        }
    });
}

#[test]
fn while_somebody_is_blocked_others_stay_plain() {
    for_every_version(async |server| {
        let limiter = asking(&server).await;
        limiter
            .block(&LIMIT, "eve", Duration::from_secs(60))
            .await
            .unwrap();
        limiter.check(&LIMIT, "ann").await.unwrap();
        let monitor = Monitor::start(&server);
        limiter.check(&LIMIT, "ann").await.unwrap();
        let block = "throttle:{user=ann}:z:x";
        let counter = named(monitor).concat().swap_remove(0);
        let again = Monitor::start(&server);
        limiter.check(&LIMIT, "ann").await.unwrap();
        assert_eq!(named(again), [[counter.as_str(), "throttle:blocks", block]]);
    });
}

#[test]
fn one_blocked_identity_of_a_batch_leaves_the_others_alone() {
    for_every_version(async |server| {
        let limiter = asking(&server).await;
        limiter
            .block(&LIMIT, "user7", Duration::from_secs(60))
            .await
            .unwrap();
        for round in 1..=3 {
            let names: Vec<String> = (0..30).map(|index| format!("user{index}")).collect();
            let asked = names
                .iter()
                .map(|name| limiter.check(&LIMIT, name.as_str()));
            for (name, decision) in names.iter().zip(join_all(asked).await) {
                let decision = decision.unwrap();
                let is_blocked = name == "user7";
                assert_eq!(decision.is_allowed(), !is_blocked, "{name}");
                if !is_blocked {
                    assert_eq!(decision.limits()[0].remaining(), 100 - round, "{name}");
                }
            }
        }
    });
}

#[test]
fn the_marker_lives_as_long_as_the_longest_block() {
    for_every_version(async |server| {
        let limiter = asking(&server).await;
        let ttl = || -> i64 { server.cli(&["PTTL", "throttle:blocks"]) };
        assert_eq!(ttl(), -2);
        for (seconds, least) in [(10, 10_000), (60, 60_000), (20, 58_000)] {
            limiter
                .block(&LIMIT, "ann", Duration::from_secs(seconds))
                .await
                .unwrap();
            assert!(ttl() > least - 2_000, "{} after {seconds}", ttl());
        }
        // A block that a limit starts sets it as well.
        let _: String = server.cli(&["FLUSHALL"]);
        let strict = Limit::per_hour(1).zone("z").block(Duration::from_secs(30));
        while limiter.check(&strict, "bob").await.unwrap().is_allowed() {}
        let block: i64 = server.cli(&["PTTL", "throttle:{user=bob}:z:x"]);
        assert!(ttl() >= block && block > 28_000, "{} of {block}", ttl());
    });
}

/// Checks that are not plain do not take the plain ones of their batch to the general script, which
/// would name the blocks of all of them.
#[test]
fn a_peek_in_a_batch_leaves_the_others_plain() {
    for_every_version(async |server| {
        let limiter = asking(&server).await;
        let names: Vec<String> = (0..20).map(|index| format!("user{index}")).collect();
        let monitor = Monitor::start(&server);
        let (looks, charges) = names.split_at(1);
        let looks = looks.iter().map(|name| limiter.peek(&LIMIT, name.as_str()));
        let charges = charges
            .iter()
            .map(|name| limiter.check(&LIMIT, name.as_str()));
        let (looks, charges) = join(join_all(looks), join_all(charges)).await;
        assert_eq!(looks[0].as_ref().unwrap().limits()[0].remaining(), 100);
        for charged in charges {
            assert_eq!(charged.unwrap().limits()[0].remaining(), 99);
        }
        let mut named = named(monitor);
        named.sort_by_key(Vec::len);
        let [general, plain] = &named[..] else {
            panic!("{named:?}");
        };
        assert_eq!(general.len(), 2, "{general:?}");
        assert!(general[1].ends_with(":z:x"), "{general:?}");
        assert_eq!(plain.len(), 19 + 1, "{plain:?}");
        assert!(plain.contains(&"throttle:blocks".to_owned()), "{plain:?}");
    });
}

/// Most charges leave a key's expiry as it is. The key must outlive what it counts all the same.
#[test]
fn a_key_outlives_what_it_counts_whenever_it_is_charged() {
    for_every_version(async |server| {
        let limiter = asking(&server).await;
        for limit in every_algorithm(40, 2) {
            let bound = Instant::now() + Duration::from_millis(1_500);
            let mut admitted = 0;
            while Instant::now() < bound {
                let before = Instant::now();
                let decision = limiter.check(&limit, "ann").await.unwrap();
                let keys: Vec<String> = server.cli(&["KEYS", "*"]);
                let left: u64 = server.cli(&["PTTL", &keys[0]]);
                let reset = decision.limits()[0].reset_after();
                assert!(
                    Duration::from_millis(left) + before.elapsed() >= reset,
                    "{limit:?}: lives for {left} ms and counts for {reset:?}"
                );
                admitted += u32::from(decision.is_allowed());
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            assert!(admitted > 5, "{limit:?}: {admitted}");
            let _: String = server.cli(&["FLUSHALL"]);
        }
    });
}
