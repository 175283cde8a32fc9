//! Settlements whose outcome is unknown. A refund afterwards refunds what counts for certain, so
//! that nobody's usage is lost to another one.

use std::{future::poll_fn, task::Poll, time::Duration};

use actix_throttle::{Algorithm, FailureMode, Limit, ManualClock, Period, RateLimiter};

use super::builder;
use harness::{Mode, Proxy, Server, ServerVersion, eventually_async, stores::block_on};

const SHORT: Duration = Duration::from_millis(400);
const SOON: Duration = Duration::from_secs(5);

/// A limiter behind a proxy, whose clock stands still.
struct Lossy {
    _server: Server,
    proxy: Proxy,
    limiter: RateLimiter,
}

impl Lossy {
    async fn new(mode: FailureMode) -> Self {
        let server = Server::start(ServerVersion::Redis7);
        let proxy = Proxy::start(server.port());
        let limiter = builder(proxy.url())
            .deadline(SHORT)
            .failure_mode(mode)
            .failure_threshold(u32::MAX)
            .clock(ManualClock::new());
        Self {
            limiter: limiter.build().await.unwrap(),
            _server: server,
            proxy,
        }
    }

    /// The remaining quota in Redis, once it decides.
    async fn remaining(&self, limit: &Limit) -> u32 {
        let mut remaining = 0;
        eventually_async("Redis decides", SOON, async || {
            let peeked = self.limiter.peek(limit, "ann").await;
            let exact = peeked.ok().filter(|decision| !decision.is_fallback());
            remaining = exact
                .as_ref()
                .map_or(0, |decision| decision.limits()[0].remaining());
            exact.is_some()
        })
        .await;
        remaining
    }
}

fn limits() -> [Limit; 6] {
    let limit = Limit::new(1_000, Duration::from_secs(1_000));
    [
        limit.algorithm(Algorithm::FixedWindow).name("fixed"),
        limit.algorithm(Algorithm::SlidingWindow).name("sliding"),
        limit
            .algorithm(Algorithm::SlidingWindowCounter)
            .name("counter"),
        limit.algorithm(Algorithm::TokenBucket).name("token"),
        Limit::every(Period::Month, 1_000).name("month"),
        Limit::every(Period::Year, 1_000).name("year"),
    ]
}

/// The reply is late, and Redis has settled the charge.
#[test]
fn refund_after_a_late_settlement_leaves_others_their_usage() {
    block_on(async {
        let lossy = Lossy::new(FailureMode::Closed).await;
        for limit in limits() {
            for (from, to, counted) in [(100, 10, 0), (10, 100, 90), (100, 0, 0)] {
                let limiter = &lossy.limiter;
                limiter.check(&limit.cost(300), "ann").await.unwrap();
                let permit = limiter.acquire(&limit.cost(from), "ann").await.unwrap();
                lossy.proxy.set(Mode::Stall);
                assert!(!permit.settle(to).await);
                lossy.proxy.set(Mode::Pass);
                assert_eq!(lossy.remaining(&limit).await, 700 - to, "{limit:?}");
                permit.refund().await;
                assert_eq!(
                    lossy.remaining(&limit).await,
                    700 - counted,
                    "{limit:?} {to}"
                );
                limiter.reset(&limit, "ann").await.unwrap();
            }
        }
    });
}

/// Redis never heard of the settlement. It is not known, so the refund refunds as little as if
/// it had.
#[test]
fn refund_after_a_lost_settlement_gives_back_what_is_certain() {
    block_on(async {
        let lossy = Lossy::new(FailureMode::Closed).await;
        let limit = limits()[0];
        for (from, to, counted) in [(100, 10, 90), (10, 100, 0)] {
            let limiter = &lossy.limiter;
            limiter.check(&limit.cost(300), "ann").await.unwrap();
            let permit = limiter.acquire(&limit.cost(from), "ann").await.unwrap();
            lossy.proxy.set(Mode::Refuse);
            assert!(!permit.settle(to).await);
            lossy.proxy.set(Mode::Pass);
            assert_eq!(lossy.remaining(&limit).await, 700 - from);
            assert!(permit.refund().await);
            assert_eq!(lossy.remaining(&limit).await, 700 - counted, "{to}");
            limiter.reset(&limit, "ann").await.unwrap();
        }
    });
}

/// The local fallback is told of a settlement at once, whatever becomes of it in Redis.
#[test]
fn refund_in_the_local_fallback_is_of_what_was_settled_there() {
    block_on(async {
        let lossy = Lossy::new(FailureMode::Local).await;
        for limit in limits() {
            for (from, to) in [(100, 10), (10, 100)] {
                let limiter = &lossy.limiter;
                limiter.check(&limit.cost(300), "ann").await.unwrap();
                let permit = limiter.acquire(&limit.cost(from), "ann").await.unwrap();
                lossy.proxy.set(Mode::Refuse);
                assert!(!permit.settle(to).await);
                permit.refund().await;
                let local = limiter.peek(&limit, "ann").await.unwrap();
                assert!(local.is_fallback());
                assert_eq!(local.limits()[0].remaining(), 700, "{limit:?} {to}");
                lossy.proxy.set(Mode::Pass);
                lossy.remaining(&limit).await;
                limiter.reset(&limit, "ann").await.unwrap();
            }
        }
    });
}

/// A task carries the settlement out, and the refund after it.
#[test]
fn refund_during_a_settlement_says_whether_it_was_done() {
    block_on(async {
        let lossy = Lossy::new(FailureMode::Closed).await;
        let (limiter, limit) = (&lossy.limiter, limits()[0]);
        for (mode, is_done) in [(Mode::Pass, true), (Mode::Stall, false)] {
            let permit = limiter.acquire(&limit.cost(100), "ann").await.unwrap();
            lossy.proxy.set(mode);
            let mut settles = Box::pin(permit.settle(10));
            // A single poll, which hands the settlement over to its task.
            let first = poll_fn(|context| Poll::Ready(settles.as_mut().poll(context))).await;
            assert!(first.is_pending());
            drop(settles);
            assert_eq!(permit.refund().await, is_done);
            if is_done {
                assert_eq!(limiter.remaining(&limit, "ann").await.unwrap(), 1_000);
            }
        }
    });
}
