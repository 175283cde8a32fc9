//! The circuit breaker before a real server.

use std::{future::Future, pin::pin, task::Poll, time::Duration};

use actix_throttle::{CircuitState, Limit, ManualClock, RateLimiter};

use super::{RECOVERY, builder, revive};
use crate::{
    harness::{Flavour, Monitor, Server},
    http::support::in_own_process,
    stores::block_on,
};

const LIMIT: Limit = Limit::per_hour(1_000_000).name("circuit");

struct Bench {
    server: Server,
    limiter: RateLimiter,
    clock: ManualClock,
    threshold: u32,
}

impl Bench {
    async fn new(threshold: u32) -> Self {
        let server = Server::start(Flavour::Redis7);
        let clock = ManualClock::new();
        let limiter = builder(server.url())
            .deadline(Duration::from_secs(5))
            .failure_threshold(threshold)
            .clock(clock.clone())
            .build()
            .await
            .unwrap();
        Self {
            server,
            limiter,
            clock,
            threshold,
        }
    }

    /// Whether the server decided.
    async fn is_decided(&self) -> bool {
        let decision = self.limiter.check(&LIMIT, "ann").await.unwrap();
        assert!(decision.is_allowed());
        !decision.is_fallback()
    }

    /// Opens the circuit and starts the server again.
    async fn trip(&mut self) {
        self.server.kill();
        for _ in 0..self.threshold {
            assert_eq!(self.limiter.circuit(), CircuitState::Closed);
            assert!(!self.is_decided().await);
        }
        assert_eq!(self.limiter.circuit(), CircuitState::Open);
        revive(&mut self.server).await;
    }
}

fn decisions(monitor: Monitor) -> usize {
    let lines = monitor.finish();
    let asked = |line: &&String| line.to_uppercase().contains("] \"EVAL");
    lines.iter().filter(asked).count()
}

#[test]
fn failures_in_a_row_open_it_and_the_server_is_left_alone() {
    block_on(async {
        let mut bench = Bench::new(3).await;
        assert!(bench.is_decided().await);
        bench.server.kill();
        for _ in 0..3 {
            assert_eq!(bench.limiter.circuit(), CircuitState::Closed);
            assert!(!bench.is_decided().await);
        }
        assert_eq!(bench.limiter.circuit(), CircuitState::Open);
        revive(&mut bench.server).await;
        let monitor = Monitor::start(&bench.server);
        bench.clock.advance(RECOVERY - Duration::from_micros(1));
        for _ in 0..100 {
            assert!(!bench.is_decided().await);
        }
        assert_eq!(decisions(monitor), 0);
        bench.clock.advance(Duration::from_micros(1));
        assert!(bench.is_decided().await);
        assert_eq!(bench.limiter.circuit(), CircuitState::Closed);
        assert!(bench.is_decided().await);
    });
}

#[test]
fn half_open_lets_exactly_one_of_a_thousand_through() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut bench = Bench::new(1).await;
        bench.trip().await;
        let monitor = Monitor::start(&bench.server);
        // Holds the probe back, so that all the others find it on its way.
        bench.server.stop();
        bench.clock.advance(RECOVERY);
        let requests: Vec<_> = (0..1000)
            .map(|_| {
                let limiter = bench.limiter.clone();
                tokio::spawn(async move { limiter.check(&LIMIT, "ann").await.unwrap() })
            })
            .collect();
        while requests.iter().filter(|one| one.is_finished()).count() < 999 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        assert_eq!(bench.limiter.circuit(), CircuitState::HalfOpen);
        bench.server.resume();
        let mut decided = 0;
        for request in requests {
            decided += usize::from(!request.await.unwrap().is_fallback());
        }
        assert_eq!(
            (decided, bench.limiter.circuit()),
            (1, CircuitState::Closed)
        );
        // A server that has just started is sent the script by a second command of the same call.
        assert!((1..=2).contains(&decisions(monitor)));
    });
}

#[test]
fn a_probe_that_fails_opens_it_again() {
    block_on(async {
        let mut bench = Bench::new(1).await;
        bench.trip().await;
        bench.server.kill();
        bench.clock.advance(RECOVERY);
        assert!(!bench.is_decided().await);
        assert_eq!(bench.limiter.circuit(), CircuitState::Open);
        revive(&mut bench.server).await;
        assert!(!bench.is_decided().await);
        bench.clock.advance(RECOVERY);
        assert!(bench.is_decided().await);
    });
}

#[test]
fn a_probe_whose_client_leaves_makes_room_for_the_next() {
    block_on(async {
        let mut bench = Bench::new(1).await;
        bench.trip().await;
        bench.server.stop();
        bench.clock.advance(RECOVERY);
        {
            let mut probe = pin!(bench.limiter.check(&LIMIT, "ann"));
            let polled = std::future::poll_fn(|context| Poll::Ready(probe.as_mut().poll(context)));
            assert!(polled.await.is_pending());
            assert_eq!(bench.limiter.circuit(), CircuitState::HalfOpen);
        }
        bench.server.resume();
        assert!(bench.is_decided().await);
        assert_eq!(bench.limiter.circuit(), CircuitState::Closed);
    });
}

#[test]
fn denials_and_lost_scripts_are_no_failures() {
    block_on(async {
        let bench = Bench::new(1).await;
        let limit = Limit::per_hour(1).name("one");
        for expected in [true, false, false] {
            let decision = bench.limiter.check(&limit, "ann").await.unwrap();
            assert_eq!(decision.is_allowed(), expected);
            let _: String = bench.server.cli(&["SCRIPT", "FLUSH"]);
        }
        assert_eq!(bench.limiter.circuit(), CircuitState::Closed);
    });
}

#[test]
fn errors_of_the_server_count_as_failures() {
    block_on(async {
        let bench = Bench::new(2).await;
        let _: String = bench.server.cli(&["CONFIG", "SET", "maxmemory", "1"]);
        assert!(!bench.is_decided().await);
        assert!(!bench.is_decided().await);
        assert_eq!(bench.limiter.circuit(), CircuitState::Open);
        let _: String = bench.server.cli(&["CONFIG", "SET", "maxmemory", "0"]);
        bench.clock.advance(RECOVERY);
        assert!(bench.is_decided().await);
    });
}

#[test]
fn the_embedded_store_has_a_closed_one() {
    block_on(async {
        let limiter = RateLimiter::builder().memory().build().await.unwrap();
        assert_eq!(limiter.circuit(), CircuitState::Closed);
    });
}

#[test]
fn each_change_is_logged_once() {
    let Some(log) = in_own_process("failures::circuit::each_change_is_logged_once") else {
        let _ = env_logger::try_init();
        block_on(async {
            let mut bench = Bench::new(2).await;
            bench.trip().await;
            for _ in 0..100 {
                assert!(!bench.is_decided().await);
            }
            bench.clock.advance(RECOVERY);
            for _ in 0..100 {
                assert!(bench.is_decided().await);
            }
        });
        return;
    };
    for change in [
        "the circuit is open after 2 failures in a row",
        "the circuit is half-open",
        "the circuit is closed",
    ] {
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
