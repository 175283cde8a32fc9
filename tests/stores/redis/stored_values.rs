//! The core's `stored` reads what the scripts store.

use std::time::Duration;

use actix_throttle::{Algorithm, Concurrency, Identity, Limit, LimitStatus, ManualClock, Period};
use actix_throttle_core::{
    algorithm::{KEPT_FOR_SETTLEMENT, StoredState},
    decide::Block,
    key::{KeyKind, KeyText},
    limit::Counting,
    stored::{LogElement, LogSearch, StoredBlock, StoredUsage},
    time::to_micros,
};

use super::{check, for_every_version, patient};
use harness::{Server, stores::every_algorithm};

const PREFIX: &str = "throttle";

fn kind_of(key: &str) -> KeyKind {
    match KeyText::parse(key, PREFIX) {
        Some(text) => text.kind,
        None => panic!("{key} is not one of the library's"),
    }
}

/// The usage that the one key of the server says.
fn stored(server: &Server, clock: &ManualClock, left: u64) -> StoredUsage {
    let keys: Vec<String> = server.cli(&["KEYS", "*"]);
    let [key] = &keys[..] else {
        panic!("one key, not {keys:?}");
    };
    let KeyKind::Counter {
        algorithm,
        refill,
        window,
        ..
    } = kind_of(key)
    else {
        panic!("{key} is no counter");
    };
    let now = now(clock);
    if algorithm != Algorithm::SlidingWindow {
        let raw: Vec<u8> = server.cli(&["GET", key]);
        let counting = Counting::of(algorithm, refill);
        let counter = StoredState::decode(counting, &mut &raw[..]).expect("one of ours");
        return counter.usage(counting, window, now, Some(left));
    }
    let mut search = LogSearch::new(server.cli(&["LLEN", key]), window, now);
    while let Some(index) = search.next() {
        let raw: Vec<u8> = server.cli(&["LINDEX", key, &index.to_string()]);
        search.feed(LogElement::decode(&raw));
    }
    search.usage()
}

fn now(clock: &ManualClock) -> u64 {
    to_micros(clock.now())
}

fn used(limit: &Limit, status: &LimitStatus) -> u32 {
    match limit.algorithm_value() {
        // It holds one request, whatever its rate.
        Algorithm::LeakyBucket => 1 - status.remaining(),
        _ => limit.times() - status.remaining(),
    }
}

#[test]
fn stored_usage_at_each_moment_is_what_remains() {
    for_every_version(async |server| {
        let limits = every_algorithm(50, 20);
        let settled = limits.into_iter().map(Limit::for_settlement);
        for limit in settled.chain(limits) {
            let clock = ManualClock::new();
            let limiter = patient(&server).clock(clock.clone()).build().await.unwrap();
            clock.advance(Duration::from_micros(1_234_567));
            for step in 0..40 {
                // Charges, then time passes alone.
                if step < 20 {
                    check(&limiter, &limit.cost(1 + step % 3)).await;
                }
                let decision = limiter.peek(&limit, "ann").await.unwrap();
                let status = &decision.limits()[0];
                let reset = to_micros(status.reset_after());
                let is_bucket = [Algorithm::TokenBucket, Algorithm::LeakyBucket]
                    .contains(&limit.algorithm_value());
                // A full bucket keeps the charges that may still be settled for so long.
                let kept = if is_bucket && limit.is_for_settlement() {
                    KEPT_FOR_SETTLEMENT
                } else {
                    0
                };
                let read = stored(&server, &clock, reset + kept);
                let expected = used(&limit, status);
                let says = format!("{limit:?}, step {step}: {read:?}, {status:?}");
                if read.is_estimate {
                    assert!(read.used.abs_diff(expected) <= 2, "{says}");
                    assert_eq!(read.used == 0, expected == 0, "{says}");
                } else {
                    assert_eq!(read.used, expected, "{says}");
                    assert_eq!(read.reset, Some(reset), "{says}");
                }
                clock.advance(Duration::from_micros(973_111));
            }
            let _: String = server.cli(&["FLUSHALL"]);
        }
    });
}

/// A bucket keeps the charges that may still be settled, and no others.
#[test]
fn settled_charges_are_dropped() {
    for_every_version(async |server| {
        let limiter = patient(&server).build().await.unwrap();
        let limit = Limit::per_minute(10_000).algorithm(Algorithm::TokenBucket);
        for settled_at in [10, 9] {
            for _ in 0..80 {
                let permit = limiter.acquire(&limit.cost(10), "ann").await.unwrap();
                assert!(permit.settle(settled_at).await);
            }
            let keys: Vec<String> = server.cli(&["KEYS", "*"]);
            let length: usize = server.cli(&["STRLEN", &keys[0]]);
            assert_eq!(length, 28 + 23 + 13, "settled at {settled_at}");
        }
        // The ones that are open are kept, but for the oldest.
        let mut open = Vec::new();
        for _ in 0..80 {
            open.push(limiter.acquire(&limit.cost(10), "ann").await.unwrap());
        }
        let keys: Vec<String> = server.cli(&["KEYS", "*"]);
        let length: usize = server.cli(&["STRLEN", &keys[0]]);
        assert_eq!(length, 28 + 23 + 64 * 13);
    });
}

#[test]
fn stored_period_and_offences_are_read() {
    for_every_version(async |server| {
        let clock = ManualClock::new();
        let limiter = patient(&server).clock(clock.clone()).build().await.unwrap();
        let steps = &const { [Duration::from_secs(30), Duration::from_secs(60)] };
        let limit = Limit::every(Period::Month, 2).zone("z").block_steps(steps);
        for _ in 0..3 {
            limiter.check(&limit, "ann").await.unwrap();
        }
        let key = "throttle:{user=ann}:z:qmonth";
        let period = Period::Month;
        assert_eq!(
            kind_of(key),
            KeyKind::Calendar {
                period,
                shadow: false
            }
        );
        let raw: Vec<u8> = server.cli(&["GET", key]);
        let (latest, used) = (now(&clock), 2);
        let expected = StoredState::Calendar { latest, used };
        let read = StoredState::decode(Counting::Calendar, &mut &raw[..]);
        assert_eq!(read, Some(expected));
        let raw: Vec<u8> = server.cli(&["GET", "throttle:{user=ann}:z:x"]);
        let StoredBlock(block) = StoredBlock::decode(&raw).expect("one of ours");
        assert_eq!(
            (block.offences, block.left(now(&clock))),
            (1, Some(to_micros(steps[0])))
        );
        assert_eq!((block.steps, block.next), (2, to_micros(steps[1])));
        assert_eq!(
            block.kept_until,
            now(&clock) + to_micros(steps[0] + steps[1])
        );
    });
}

#[test]
fn stored_block_is_written_as_the_script_writes_it() {
    for_every_version(async |server| {
        let clock = ManualClock::new();
        let limiter = patient(&server).clock(clock.clone()).build().await.unwrap();
        clock.advance(Duration::from_secs(100));
        let limit = Limit::per_second(1).zone("z");
        let length = Duration::from_secs(30);
        limiter.block(&limit, "ann", length).await.unwrap();
        let key = "throttle:{user=ann}:z:x";
        assert_eq!(kind_of(key), KeyKind::Block { shadow: false });
        let raw: Vec<u8> = server.cli(&["GET", key]);
        let block = StoredBlock::decode(&raw).expect("one of ours");
        assert_eq!(block.0.left(now(&clock)), Some(to_micros(length)));
        assert_eq!(block.encode(), raw);
        // The block is started by hand again, after an offence.
        let steps = &const { [Duration::from_secs(30), Duration::from_secs(60)] };
        let strict = limit.block_steps(steps);
        clock.advance(length);
        for _ in 0..2 {
            limiter.check(&strict, "ann").await.unwrap();
        }
        clock.advance(Duration::from_secs(1));
        let raw: Vec<u8> = server.cli(&["GET", key]);
        let StoredBlock(offence) = StoredBlock::decode(&raw).expect("one of ours");
        limiter.block(&limit, "ann", length).await.unwrap();
        let raw: Vec<u8> = server.cli(&["GET", key]);
        let by_hand = Block::keep_offences(Some(offence), now(&clock), to_micros(length));
        assert_eq!(by_hand.offences, 1);
        assert_eq!(StoredBlock(by_hand).encode(), raw);
    });
}

#[test]
fn keys_of_every_kind_are_read() {
    for_every_version(async |server| {
        let limiter = patient(&server).build().await.unwrap();
        let identity = Identity::header("X-Api-Key", "secret");
        for limit in every_algorithm(50, 20) {
            for limit in [limit.zone("app::login"), limit.zone("app::login").shadow()] {
                assert!(limiter.check(&limit, &identity).await.unwrap().is_allowed());
            }
        }
        let permits = Concurrency::new(2).zone("export");
        let semaphore = limiter.semaphore(&permits, &identity);
        let held = semaphore.acquire().await.unwrap();
        let keys: Vec<String> = server.cli(&["KEYS", "*"]);
        assert_eq!(keys.len(), 13, "{keys:?}");
        for key in &keys {
            let text = KeyText::parse(key, PREFIX).expect("one of ours");
            assert_eq!(text.identity, identity.to_string());
        }
        drop(held);
    });
}
