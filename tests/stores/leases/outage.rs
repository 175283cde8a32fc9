//! Outages of Redis while a process holds a lease.

use std::time::Duration;

use actix_throttle::{Decision, FailureMode, Limit, ManualClock, RateLimitError, RateLimiter};

use super::{ID, every_algorithm};
use harness::{
    Server, ServerVersion, eventually_async,
    stores::{block_on, unique},
};

const TIMES: u32 = 400;
const LEASE: u32 = 50;
const RECOVERY: Duration = Duration::from_millis(400);
/// The time after which a lease ends.
const LIFETIME: Duration = Duration::from_secs(1);
/// The time that a reconnection may take on a busy test machine.
const WITHIN: Duration = Duration::from_secs(10);

/// A limiter that leases, and a second one that shows what Redis knows. The clock stands still.
struct Service {
    server: Server,
    clock: ManualClock,
    own: RateLimiter,
    other: RateLimiter,
}

impl Service {
    async fn new(mode: FailureMode) -> Self {
        let server = Server::start(ServerVersion::Redis7);
        let (clock, prefix) = (ManualClock::new(), unique("lease"));
        let limiter = async |mode, deadline| {
            RateLimiter::builder()
                .redis_url(server.url())
                .prefix(&prefix)
                .deadline(Duration::from_millis(deadline))
                .recovery_timeout(RECOVERY)
                .failure_mode(mode)
                .denial_cache(Duration::ZERO)
                .clock(clock.clone())
                .build()
                .await
                .unwrap()
        };
        Self {
            own: limiter(mode, 200).await,
            other: limiter(FailureMode::Closed, 5_000).await,
            server,
            clock,
        }
    }

    async fn check(&self, limit: &Limit) -> Decision {
        self.own.check(limit, ID).await.unwrap()
    }

    /// The cost that has been charged in Redis.
    async fn charged(&self, limit: &Limit) -> u32 {
        let peeked = self.other.peek(limit, ID).await.unwrap();
        TIMES - peeked.limits()[0].remaining()
    }

    /// Checks until a lease is held; returns how much was admitted and how much more is leased.
    async fn lease(&self, limit: &Limit) -> (u32, u32) {
        let mut admitted = 0;
        loop {
            assert!(self.check(limit).await.is_allowed());
            admitted += 1;
            let mut charged = 0;
            eventually_async("no lease is under way", WITHIN, async || {
                let before = charged;
                charged = self.charged(limit).await;
                charged == before
            })
            .await;
            if charged >= admitted + LEASE / 2 {
                return (admitted, charged - admitted);
            }
        }
    }

    /// Counts what is admitted under the limit from now on, whichever store decides.
    async fn rest(&self, limit: &Limit) -> u32 {
        let mut admitted = 0;
        loop {
            match self.check(limit).await {
                decision if decision.limits().is_empty() => {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
                decision if decision.is_allowed() => admitted += 1,
                _ => return admitted,
            }
            assert!(admitted <= 3 * TIMES);
        }
    }

    /// Restarts Redis without its data, and waits until the second limiter reaches it.
    async fn find_again(&mut self, limit: &Limit) {
        self.server.restart();
        eventually_async("the other has it again", WITHIN, async || {
            self.clock.advance(RECOVERY / 100);
            self.other.peek(limit, ID).await.is_ok()
        })
        .await;
    }
}

/// Runs the test for each algorithm, with a Redis of its own.
fn for_each(mode: FailureMode, test: impl AsyncFn(Service, Limit, &str)) {
    for (name, limit) in every_algorithm(TIMES) {
        block_on(async {
            let service = Service::new(mode).await;
            test(service, limit.lease(LEASE), name).await;
        });
    }
}

/// A leased quota is served in every failure mode, because no call to Redis is needed for it.
#[test]
fn leased_quota_is_served_without_server() {
    for mode in [FailureMode::Open, FailureMode::Closed, FailureMode::Local] {
        for stalls in [false, true] {
            for_each(mode, async |mut service, limit, name| {
                let (admitted, on_lease) = service.lease(&limit).await;
                if stalls {
                    service.server.stop()
                } else {
                    service.server.kill()
                }
                for index in 1..=on_lease {
                    let decision = service.check(&limit).await;
                    assert!(decision.is_allowed() && !decision.is_fallback());
                    let left = TIMES - admitted - index;
                    assert_eq!(decision.limits()[0].remaining(), left, "{name}");
                }
                let after = service.own.check(&limit, ID).await;
                match (mode, after) {
                    (FailureMode::Closed, Err(RateLimitError::Unavailable { .. })) => {}
                    (FailureMode::Open, Ok(decision)) => {
                        assert!(decision.is_allowed() && decision.is_fallback());
                        assert!(decision.limits().is_empty());
                    }
                    (FailureMode::Local, Ok(decision)) => {
                        assert!(decision.is_allowed() && decision.is_fallback());
                        let left = TIMES - admitted - on_lease - 1;
                        assert_eq!(decision.limits()[0].remaining(), left, "{name}");
                    }
                    (_, after) => panic!("{mode:?}: {after:?}"),
                }
            });
        }
    }
}

/// A process that remembers its admissions gets a fresh quota neither by the outage nor by its end.
#[test]
fn local_admits_the_limit_whoever_decides() {
    for_each(FailureMode::Local, async |mut service, limit, name| {
        let (admitted, _) = service.lease(&limit).await;
        service.server.kill();
        assert_eq!(admitted + service.rest(&limit).await, TIMES, "{name}");
        service.find_again(&limit).await;
        service.clock.advance(RECOVERY);
        assert_eq!(service.rest(&limit).await, 0, "{name}");
        service.clock.advance(2 * LIFETIME);
        assert_eq!(service.rest(&limit).await, 0, "{name}");
    });
}

/// A Redis that comes back empty has the whole limit to grant. A lease from before the outage is no
/// part of that and must not be returned.
#[test]
fn lease_forgotten_by_server_is_not_returned() {
    for_each(FailureMode::Open, async |mut service, limit, name| {
        let (_, on_lease) = service.lease(&limit).await;
        service.server.kill();
        service.find_again(&limit).await;
        let mut fresh = 0;
        while service.other.check(&limit, ID).await.unwrap().is_allowed() {
            fresh += 1;
        }
        assert_eq!(fresh, TIMES, "{name}");
        service.clock.advance(LIFETIME);
        // The circuit breaker stays open until it has tried Redis again.
        let circuit = async || service.own.peek(&limit, ID).await.unwrap();
        eventually_async("it is asked again", WITHIN, async || {
            service.clock.advance(RECOVERY);
            !circuit().await.is_fallback()
        })
        .await;
        tokio::time::sleep(Duration::from_millis(50)).await;
        let more = TIMES - service.charged(&limit).await;
        let most = match name {
            "fixed_window" => 0,
            _ => on_lease,
        };
        assert!(more <= most, "{name}: {more}");
    });
}

/// A call that timed out may have charged a lease. That lease counts as used, and no more than that
/// is lost.
#[test]
fn a_stalled_server_loses_a_lease_at_most() {
    for_each(FailureMode::Closed, async |service, limit, name| {
        let (mut admitted, on_lease) = service.lease(&limit).await;
        service.server.stop();
        let mut failed = 0;
        for _ in 0..on_lease + 5 {
            match service.own.check(&limit, ID).await {
                Ok(decision) => admitted += u32::from(decision.is_allowed()),
                Err(_) => failed += 1,
            }
        }
        assert_eq!(failed, 5, "{name}");
        service.server.resume();
        eventually_async("it is asked again", WITHIN, async || {
            service.clock.advance(RECOVERY);
            service.own.peek(&limit, ID).await.is_ok()
        })
        .await;
        admitted += service.rest(&limit).await;
        assert!(admitted <= TIMES, "{name}: {admitted}");
        assert!(admitted + failed + LEASE >= TIMES, "{name}: {admitted}");
    });
}
