//! The circuit breaker in front of a real Redis.

use std::time::{Duration, Instant};

use actix_throttle::{CircuitState, FailureMode, Limit, RateLimitError, RateLimiter};
use tokio::time::sleep;

use super::{DEADLINE, RECOVERY, builder};
use harness::{
    Monitor, Server, ServerVersion, eventually_async, http::app::in_own_process, stores::block_on,
};

const LIMIT: Limit = Limit::per_hour(1_000_000).name("circuit");
/// Bound for the circuit to open when the server refuses connections.
const OPENS: Duration = Duration::from_secs(3);
/// Bound for the circuit to close once the server is well: the longest pause, one attempt, and what
/// a busy test machine adds.
const CLOSES: Duration = RECOVERY.saturating_add(Duration::from_millis(1_500));

async fn limiter(server: &Server) -> RateLimiter {
    builder(server.url()).build().await.unwrap()
}

/// Checks the limit once and reports whether Redis decided.
async fn is_decided(limiter: &RateLimiter) -> bool {
    let decision = limiter.check(&LIMIT, "ann").await.unwrap();
    assert!(decision.is_allowed());
    !decision.is_fallback()
}

/// Sends checks until the circuit is open.
async fn until_open(limiter: &RateLimiter, within: Duration) {
    eventually_async("the circuit is open", within, async || {
        let _ = limiter.check(&LIMIT, "ann").await;
        limiter.circuit() == CircuitState::Open
    })
    .await;
}

/// Waits until the circuit is closed, without sending a check.
async fn until_closed(limiter: &RateLimiter) {
    eventually_async("the circuit is closed", CLOSES, async || {
        limiter.circuit() == CircuitState::Closed
    })
    .await;
}

#[test]
fn circuit_opens_and_closes_without_a_request() {
    block_on(async {
        for version in ServerVersion::ALL {
            let mut server = Server::start(version);
            let limiter = limiter(&server).await;
            assert!(is_decided(&limiter).await);
            server.kill();
            until_open(&limiter, OPENS).await;
            server.restart();
            until_closed(&limiter).await;
            assert!(is_decided(&limiter).await);
        }
    });
}

#[test]
fn open_circuit_decides_at_once_and_says_when_to_come_again() {
    block_on(async {
        let mut server = Server::start(ServerVersion::Redis7);
        let limiter = builder(server.url()).failure_mode(FailureMode::Closed);
        let limiter = limiter.build().await.unwrap();
        server.stop();
        until_open(&limiter, Duration::from_secs(8)).await;
        let start = Instant::now();
        for _ in 0..1_000 {
            let refused = limiter.check(&LIMIT, "ann").await;
            let Err(RateLimitError::Unavailable { retry_after, .. }) = refused else {
                panic!("{refused:?}");
            };
            // A probe in progress takes as long as a connection attempt.
            assert!(retry_after.is_some_and(|wait| wait <= RECOVERY + Duration::from_secs(3)));
        }
        assert!(start.elapsed() < DEADLINE * 5, "{:?}", start.elapsed());
        server.kill();
    });
}

/// Connection attempts that get no response reveal a server that hangs.
#[test]
fn hanging_server_opens_it_and_going_on_closes_it() {
    block_on(async {
        let server = Server::start(ServerVersion::Redis7);
        let limiter = limiter(&server).await;
        assert!(is_decided(&limiter).await);
        server.stop();
        until_open(&limiter, Duration::from_secs(8)).await;
        server.resume();
        until_closed(&limiter).await;
        assert!(is_decided(&limiter).await);
    });
}

#[test]
fn threshold_of_one_waits_for_three_deadlines_of_silence() {
    block_on(async {
        let mut server = Server::start(ServerVersion::Redis7);
        let limiter = builder(server.url()).failure_threshold(1);
        let limiter = limiter.build().await.unwrap();
        server.kill();
        let start = Instant::now();
        until_open(&limiter, OPENS).await;
        assert!(start.elapsed() >= DEADLINE * 3, "{:?}", start.elapsed());
    });
}

/// A full server still decides checks that are denied, and refuses all others. With an open circuit
/// it receives none of the checks, and the probes that it receives fail.
#[test]
fn full_server_keeps_it_open_whoever_asks() {
    block_on(async {
        let server = Server::start(ServerVersion::Redis7);
        let limiter = limiter(&server).await;
        let _: String = server.cli(&["CONFIG", "SET", "maxmemory", "1"]);
        until_open(&limiter, OPENS).await;
        let monitor = Monitor::start(&server);
        let end = Instant::now() + Duration::from_secs(2);
        while Instant::now() < end {
            assert!(!is_decided(&limiter).await);
            assert_ne!(limiter.circuit(), CircuitState::Closed);
            sleep(Duration::from_millis(5)).await;
        }
        let lines = monitor.finish();
        let asked = |line: &&String| line.to_uppercase().contains("] \"EVAL");
        let calls = lines.iter().filter(asked).count();
        // Pauses of 0.25 s and then 0.4 s, which jitter shortens by up to a half.
        assert!((3..=14).contains(&calls), "{calls}");
        let _: String = server.cli(&["CONFIG", "SET", "maxmemory", "0"]);
        until_closed(&limiter).await;
        assert!(is_decided(&limiter).await);
    });
}

/// The workers that maintained the connections have ended, so no background task probes.
#[test]
fn circuit_without_a_reconnect_task_is_probed_by_one_request() {
    let mut server = Server::start(ServerVersion::Redis7);
    let limiter = block_on(async {
        let limiter = limiter(&server).await;
        server.kill();
        until_open(&limiter, OPENS).await;
        limiter
    });
    server.restart();
    block_on(async {
        assert!(
            !is_decided(&limiter).await,
            "it is the turn of the reconnect tasks"
        );
        eventually_async("a request probes", Duration::from_secs(6), async || {
            is_decided(&limiter).await
        })
        .await;
        assert_eq!(limiter.circuit(), CircuitState::Closed);
    });
}

#[test]
fn denials_and_lost_scripts_are_no_failures() {
    block_on(async {
        let server = Server::start(ServerVersion::Redis7);
        let limiter = builder(server.url()).failure_threshold(1);
        let limiter = limiter.build().await.unwrap();
        let limit = Limit::per_hour(1).name("one");
        for expected in [true, false, false] {
            let decision = limiter.check(&limit, "ann").await.unwrap();
            assert_eq!(decision.is_allowed(), expected);
            let _: String = server.cli(&["SCRIPT", "FLUSH"]);
        }
        assert_eq!(limiter.circuit(), CircuitState::Closed);
    });
}

#[test]
fn in_memory_store_has_a_closed_one() {
    block_on(async {
        let limiter = RateLimiter::builder().memory().build().await.unwrap();
        assert_eq!(limiter.circuit(), CircuitState::Closed);
    });
}

#[test]
fn each_change_is_logged_once() {
    let Some(log) = in_own_process("circuit::each_change_is_logged_once") else {
        let _ = env_logger::try_init();
        block_on(async {
            let mut server = Server::start(ServerVersion::Redis7);
            let limiter = limiter(&server).await;
            server.kill();
            until_open(&limiter, OPENS).await;
            for _ in 0..100 {
                assert!(!is_decided(&limiter).await);
            }
            server.restart();
            until_closed(&limiter).await;
            for _ in 0..100 {
                assert!(is_decided(&limiter).await);
            }
        });
        return;
    };
    for change in ["the circuit is open after", "the circuit is closed"] {
        assert_eq!(log.matches(change).count(), 1, "{change}: {log}");
    }
    assert!(!log.contains("the circuit is open\n"), "{log}");
}

#[test]
fn settings_that_make_no_sense_are_errors_at_build() {
    block_on(async {
        let memory = || RateLimiter::builder().memory();
        for wrong in [
            memory().failure_threshold(0),
            memory().recovery_timeout(Duration::ZERO),
            memory().recovery_timeout(Duration::MAX),
        ] {
            let error = wrong.build().await.unwrap_err();
            assert!(error.is_settings(), "{error}");
        }
    });
}
