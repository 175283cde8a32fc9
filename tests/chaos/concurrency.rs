//! Permits of a concurrency limit while Redis is unreachable, in each failure mode, and after it is
//! back.

use std::time::Duration;

use actix_throttle::{
    CircuitState, Concurrency, FailureMode, ManualClock, RateLimitError, RateLimiter, Semaphore,
    SemaphoreGuard, concurrency_limit, rate_limit,
};
use actix_web::get;

use super::{RECOVERY, builder};
use harness::{
    Server, ServerVersion,
    http::app::TestService,
    stores::{block_on, until},
};

/// The expiry of permits. They are renewed often, and so known to Redis soon after it is back.
const EXPIRY: Duration = Duration::from_secs(60);
/// The expiry of a permit whose limit does not say another.
const EXPIRY_BY_DEFAULT: Duration = Duration::from_secs(30);
const TWO: Concurrency = Concurrency::new(2).expiry(EXPIRY);

struct OutageFixture {
    server: Server,
    limiter: RateLimiter,
    clock: ManualClock,
}

impl OutageFixture {
    async fn new(mode: FailureMode) -> Self {
        let server = Server::start(ServerVersion::Redis7);
        let clock = ManualClock::new();
        let limiter = builder(server.url())
            .failure_mode(mode)
            .failure_threshold(3)
            .clock(clock.clone());
        Self {
            server,
            limiter: limiter.build().await.unwrap(),
            clock,
        }
    }

    fn semaphore(&self) -> Semaphore {
        self.limiter.semaphore(&TWO, "ann")
    }

    /// Uses permits until the circuit has opened. Afterwards no decision asks Redis.
    async fn opens(&self) {
        until("the circuit is open", async || {
            let _ = self.limiter.semaphore(&TWO, "other").try_acquire().await;
            self.limiter.circuit() == CircuitState::Open
        })
        .await;
    }
}

async fn take(semaphore: &Semaphore) -> Option<SemaphoreGuard> {
    semaphore.try_acquire().await.unwrap()
}

/// Waits for a permit that becomes free in a moment.
async fn taken(semaphore: &Semaphore) -> SemaphoreGuard {
    let mut guard = None;
    until("there is a permit", async || {
        guard = take(semaphore).await;
        guard.is_some()
    })
    .await;
    guard.unwrap()
}

#[test]
fn open_lets_everybody_run() {
    block_on(async {
        let mut fixture = OutageFixture::new(FailureMode::Open).await;
        let semaphore = fixture.semaphore();
        let held = (take(&semaphore).await, take(&semaphore).await);
        assert!(take(&semaphore).await.is_none());
        fixture.server.kill();
        let more = [take(&semaphore).await, take(&semaphore).await];
        assert!(more.iter().flatten().all(SemaphoreGuard::is_valid));
        fixture.opens().await;
        let guard = take(&semaphore).await.unwrap();
        assert!(guard.decision().is_fallback() && guard.decision().limits().is_empty());
        drop((guard, held, more));
    });
}

#[test]
fn closed_denies_and_names_the_retry_time() {
    block_on(async {
        let mut fixture = OutageFixture::new(FailureMode::Closed).await;
        let semaphore = fixture.semaphore();
        fixture.server.kill();
        for acquired in [
            semaphore.try_acquire().await.err(),
            semaphore.acquire().await.err(),
        ] {
            assert!(matches!(acquired, Some(RateLimitError::Unavailable { .. })));
        }
        fixture.opens().await;
        let Err(RateLimitError::Unavailable { retry_after, .. }) = semaphore.try_acquire().await
        else {
            panic!("decided");
        };
        // A probe in progress takes as long as a connection attempt.
        assert!(retry_after.is_some_and(|wait| wait <= RECOVERY + Duration::from_secs(3)));
        // The restarted server must know of no permit.
        fixture.server.restart();
        until("the server decides", async || {
            semaphore.try_acquire().await.is_ok()
        })
        .await;
        until("both are free", async || {
            let peeked = semaphore.peek().await;
            peeked.is_ok_and(|peeked| peeked.limits()[0].remaining() == 2)
        })
        .await;
    });
}

#[test]
fn local_fallback_and_restarted_server_know_held_permits() {
    block_on(async {
        let mut fixture = OutageFixture::new(FailureMode::Local).await;
        let semaphore = fixture.semaphore();
        let before = take(&semaphore).await.unwrap();
        fixture.server.kill();
        let during = take(&semaphore).await.unwrap();
        assert!(during.decision().is_fallback());
        for _ in 0..5 {
            assert!(
                take(&semaphore).await.is_none(),
                "one runs since before that"
            );
        }
        fixture.opens().await;
        assert!(take(&semaphore).await.is_none());
        // The local fallback has the permit back at once, even if Redis does not learn of it.
        drop(before);
        let again = taken(&semaphore).await;
        assert!(take(&semaphore).await.is_none());
        // The restarted server knows of no permit. Each is renewed there, and until then the local
        // fallback counts it.
        fixture.server.restart();
        for _ in 0..20 {
            assert!(take(&semaphore).await.is_none());
            fixture.clock.advance(EXPIRY / 30);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        until("the server decides", async || {
            !semaphore.peek().await.unwrap().is_fallback()
        })
        .await;
        assert!(take(&semaphore).await.is_none());
        assert!(during.is_valid() && again.is_valid());
        during.release().await;
        again.release().await;
        let both = (taken(&semaphore).await, taken(&semaphore).await);
        assert!(take(&semaphore).await.is_none());
        drop(both);
    });
}

#[test]
fn permits_at_once_are_no_more_after_server_returned() {
    block_on(async {
        let mut fixture = OutageFixture::new(FailureMode::Local).await;
        let semaphore = fixture.limiter.semaphore(&Concurrency::new(10), "ann");
        fixture.server.kill();
        let mut held = Vec::new();
        for _ in 0..9 {
            held.push(taken(&semaphore).await);
        }
        fixture.server.restart();
        until("the server decides", async || {
            fixture.clock.advance(EXPIRY / 300);
            !semaphore.peek().await.unwrap().is_fallback()
        })
        .await;
        let acquire = || {
            let semaphore = semaphore.clone();
            tokio::spawn(async move { take(&semaphore).await })
        };
        let acquired: Vec<_> = (0..64).map(|_| acquire()).collect();
        for permit in acquired {
            held.extend(permit.await.unwrap());
        }
        assert_eq!(held.len(), 10);
    });
}

macro_rules! handlers {
    ($($name:ident, $path:literal, $mode:literal;)+) => { $(
        #[get($path)]
        #[concurrency_limit(max = 1, failure_mode = $mode)]
        async fn $name() -> &'static str {
            "ok"
        }
    )+ };
}

handlers! {
    open, "/open", "open";
    closed, "/closed", "closed";
    local, "/local", "local";
}

#[actix_web::test]
async fn handlers_keep_their_mode() {
    let mut fixture = OutageFixture::new(FailureMode::Open).await;
    fixture.server.kill();
    let limiter = fixture.limiter.clone();
    let service = TestService::new(|config| {
        config.app_data(limiter).service((open, closed, local));
    })
    .await;
    for _ in 0..6 {
        let answer = service.get("/open").await;
        assert_eq!(answer.status, 200);
        assert!(answer.is_unlimited());
        assert_eq!(service.get("/closed").await.status, 503);
        // One after the other: each request releases its permit.
        let answer = service.get("/local").await;
        assert_eq!((answer.status, answer.remaining()), (200, Some(0)));
    }
}

#[get("/delayed")]
#[rate_limit(
    "100/minute",
    slow_after = 1,
    slow_by = "1ms",
    slow_max = "10ms",
    failure_mode = "local"
)]
#[concurrency_limit(max = 5, name = "delayed", failure_mode = "local")]
async fn delayed() -> &'static str {
    "ok"
}

/// A delayed request releases its permit for the time of the delay. It does not wait until a
/// stopped Redis has heard of that, or until the permit has expired.
#[actix_web::test]
async fn delayed_request_ends_though_its_release_fails() {
    let server = Server::start(ServerVersion::Redis7);
    let limiter = RateLimiter::builder().redis_url(server.url());
    let limiter = limiter.build().await.unwrap();
    let service = TestService::new(|config| {
        config.app_data(limiter).service(delayed);
    })
    .await;
    for _ in 0..3 {
        assert_eq!(service.get("/delayed").await.status, 200);
    }
    server.stop();
    for _ in 0..3 {
        let answer = tokio::time::timeout(EXPIRY_BY_DEFAULT / 2, service.get("/delayed")).await;
        assert_eq!(answer.expect("an answer in time").status, 200);
    }
    server.resume();
}
