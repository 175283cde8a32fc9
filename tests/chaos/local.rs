//! The local fallback of limits with `FailureMode::Local`. A process that is alone on its Redis
//! must not notice that Redis fails, forgets everything and comes back.

use std::time::Duration;

use actix_throttle::{
    Algorithm, Decision, FailureMode, Limit, ManualClock, Permit, RateLimiter, Refill,
};

use super::{builder, revive};
use harness::{
    Server, ServerVersion,
    stores::{block_on, every_algorithm},
};

/// A limiter on Redis, and one with an in-memory store that receives the same checks.
struct Twins {
    server: Server,
    limiter: RateLimiter,
    twin: RateLimiter,
    clock: ManualClock,
}

impl Twins {
    async fn new() -> Self {
        let server = Server::start(ServerVersion::Redis7);
        let clock = ManualClock::new();
        let limiter = builder(server.url())
            .deadline(Duration::from_secs(5))
            .failure_mode(FailureMode::Local)
            .failure_threshold(1)
            // No denial cache: each request must notice the outage, denied ones too.
            .denial_cache(Duration::ZERO)
            .clock(clock.clone());
        let twin = RateLimiter::builder().memory().clock(clock.clone());
        Self {
            server,
            limiter: limiter.build().await.unwrap(),
            twin: twin.build().await.unwrap(),
            clock,
        }
    }

    async fn check(&self, limit: &Limit) -> Decision {
        let decision = self.limiter.check(limit, "ann").await.unwrap();
        let expected = self.twin.check(limit, "ann").await.unwrap();
        let shown = |decision: &Decision| {
            let status = &decision.limits()[0];
            (
                decision.is_allowed(),
                status.remaining(),
                status.reset_after(),
                decision.retry_after(),
            )
        };
        assert_eq!(shown(&decision), shown(&expected), "{limit:?}");
        decision
    }

    /// Checks the limit `count` times, and advances the clock by `step` after each.
    async fn checks(&self, limit: &Limit, count: u32, step: Duration) {
        for _ in 0..count {
            self.check(limit).await;
            self.clock.advance(step);
        }
    }

    fn lose(&mut self) {
        self.server.kill();
    }

    /// Starts the server again, without its counters, and waits until it decides.
    async fn find_again(&mut self) {
        revive(&mut self.server, std::slice::from_ref(&self.limiter)).await;
    }
}

#[test]
fn an_outage_is_no_fresh_quota_and_neither_is_its_end() {
    block_on(async {
        for limit in every_algorithm(5, 60) {
            let mut twins = Twins::new().await;
            let limit = limit.name("outage");
            twins.checks(&limit, 3, Duration::from_millis(1)).await;
            twins.lose();
            assert!(twins.check(&limit).await.is_fallback());
            twins.checks(&limit, 4, Duration::from_secs(3)).await;
            twins.find_again().await;
            assert!(!twins.check(&limit).await.is_fallback());
            // Longer than two windows.
            twins.checks(&limit, 50, Duration::from_secs(3)).await;
        }
    });
}

#[test]
fn costs_and_bursts_are_known_too() {
    block_on(async {
        let limit = Limit::per_minute(6)
            .algorithm(Algorithm::TokenBucket)
            .capacity(30)
            .cost(4)
            .name("burst");
        let mut twins = Twins::new().await;
        twins.checks(&limit, 3, Duration::from_secs(1)).await;
        twins.lose();
        twins.checks(&limit, 5, Duration::from_secs(1)).await;
        twins.find_again().await;
        // The bucket takes five windows to fill.
        twins.checks(&limit, 60, Duration::from_secs(7)).await;
    });
}

#[test]
fn blocks_outlast_the_server_and_its_absence() {
    block_on(async {
        let limit = Limit::per_second(1)
            .block(Duration::from_secs(60))
            .name("block");
        // Blocked by Redis, then by the local fallback.
        let mut twins = Twins::new().await;
        twins.checks(&limit, 3, Duration::from_millis(1)).await;
        twins.lose();
        twins.checks(&limit, 25, Duration::from_secs(3)).await;
        // Blocked by the local fallback, then by Redis.
        twins.checks(&limit, 3, Duration::from_millis(1)).await;
        twins.find_again().await;
        twins.checks(&limit, 25, Duration::from_secs(3)).await;
    });
}

/// The twin decides one by one what comes at once here.
#[test]
fn requests_at_once_get_no_fresh_quota_from_returned_server() {
    block_on(async {
        for limit in every_algorithm(20, 3600) {
            let mut twins = Twins::new().await;
            let limit = limit.name("at once");
            twins.checks(&limit, 4, Duration::from_millis(1)).await;
            twins.lose();
            twins.checks(&limit, 11, Duration::from_millis(1)).await;
            twins.find_again().await;
            let mut expected = 0;
            for _ in 0..64 {
                let decision = twins.twin.check(&limit, "ann").await.unwrap();
                expected += usize::from(decision.is_allowed());
            }
            let check = || {
                let limiter = twins.limiter.clone();
                tokio::spawn(async move { limiter.check(&limit, "ann").await.unwrap() })
            };
            let checks: Vec<_> = (0..64).map(|_| check()).collect();
            let mut admitted = 0;
            for check in checks {
                admitted += usize::from(check.await.unwrap().is_allowed());
            }
            assert_eq!(admitted, expected, "{limit:?}");
        }
    });
}

/// The fallback admits no request during the outage, and Redis has forgotten those before it.
#[test]
fn local_fallback_knows_what_restarted_server_forgot() {
    block_on(async {
        let limit = Limit::per_minute(3).name("forgotten");
        let mut twins = Twins::new().await;
        twins.checks(&limit, 4, Duration::from_millis(1)).await;
        twins.lose();
        twins.checks(&limit, 2, Duration::from_millis(1)).await;
        twins.find_again().await;
        twins.checks(&limit, 40, Duration::from_secs(3)).await;
    });
}

#[test]
fn limits_of_other_modes_are_not_remembered() {
    block_on(async {
        let server = Server::start(ServerVersion::Redis7);
        let limiter = builder(server.url()).build().await.unwrap();
        let limit = Limit::per_minute(2).name("open");
        for expected in [true, true, false] {
            let decision = limiter.check(&limit, "ann").await.unwrap();
            assert_eq!(decision.is_allowed(), expected);
        }
    });
}

#[test]
fn resets_and_blocks_by_hand_reach_it() {
    block_on(async {
        let mut twins = Twins::new().await;
        let limit = Limit::per_minute(2).name("by-hand");
        twins.checks(&limit, 3, Duration::from_millis(1)).await;
        twins.lose();
        assert!(!twins.check(&limit).await.is_allowed());
        // Redis cannot be reached, so the call fails; the local fallback is reset regardless.
        assert!(twins.limiter.reset(&limit, "ann").await.is_err());
        twins.twin.reset(&limit, "ann").await.unwrap();
        assert!(twins.check(&limit).await.is_allowed());
        let minute = Duration::from_secs(60);
        assert!(twins.limiter.block(&limit, "ann", minute).await.is_err());
        twins.twin.block(&limit, "ann", minute).await.unwrap();
        assert!(!twins.check(&limit).await.is_allowed());
        assert!(twins.limiter.unblock(&limit, "ann").await.is_err());
        twins.twin.unblock(&limit, "ann").await.unwrap();
        assert!(twins.check(&limit).await.is_allowed());
    });
}

/// A permit of each of the twins.
async fn acquire(twins: &Twins, limit: &Limit) -> [Permit; 2] {
    let mut permits = Vec::new();
    for limiter in [&twins.limiter, &twins.twin] {
        let acquired = limiter.acquire(limit, "ann").max_wait(Duration::ZERO);
        permits.push(acquired.await.unwrap());
    }
    permits.try_into().expect("two")
}

#[test]
fn settlements_and_debts_outlast_an_outage() {
    block_on(async {
        for limit in every_algorithm(20, 60) {
            let mut twins = Twins::new().await;
            let limit = limit.name("settled");
            let estimate = limit.cost(2);
            let is_leaky = limit.algorithm_value() == Algorithm::LeakyBucket;
            // Settled by Redis, which has charged it.
            for permit in acquire(&twins, &estimate).await {
                assert!(permit.settle(5).await);
            }
            twins
                .clock
                .advance(Duration::from_secs(if is_leaky { 15 } else { 1 }));
            twins.check(&limit).await;
            twins
                .clock
                .advance(Duration::from_secs(if is_leaky { 3 } else { 1 }));
            let [known, twin] = acquire(&twins, &estimate).await;
            twins.lose();
            assert!(
                twins
                    .limiter
                    .check(&limit, "bob")
                    .await
                    .unwrap()
                    .is_fallback()
            );
            // The settlement cannot reach Redis, and the local fallback keeps it.
            assert!(!known.settle(4).await);
            assert!(twin.settle(4).await);
            twins.checks(&limit, 2, Duration::from_secs(1)).await;
            // Charged and settled during the outage.
            twins
                .clock
                .advance(Duration::from_secs(if is_leaky { 30 } else { 0 }));
            for permit in acquire(&twins, &estimate).await {
                assert!(permit.settle(33).await);
            }
            twins.checks(&limit, 3, Duration::from_secs(1)).await;
            twins.find_again().await;
            // Refills at intervals come as the new Redis counts them, once the debt is gone.
            let is_interval = limit.refill_value() == Refill::Interval;
            let checks = if is_interval { 30 } else { 60 };
            twins.checks(&limit, checks, Duration::from_secs(3)).await;
        }
    });
}

#[test]
fn request_that_was_never_charged_is_not_settled() {
    block_on(async {
        let mut server = Server::start(ServerVersion::Redis7);
        let limiter = builder(server.url()).build().await.unwrap();
        let limit = Limit::per_hour(100).name("open");
        server.kill();
        for cost in [10, 0] {
            let permit = limiter.acquire(&limit.cost(cost), "ann").await.unwrap();
            assert!(permit.decision().is_fallback());
            assert!(permit.settle(60).await);
        }
        revive(&mut server, std::slice::from_ref(&limiter)).await;
        assert_eq!(limiter.remaining(&limit, "ann").await.unwrap(), 100);
    });
}
