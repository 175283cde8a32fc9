//! Several processes on one Redis, each with a local fallback.

use std::time::Duration;

use actix_throttle::{FailureMode, Limit, ManualClock, RateLimiter};

use super::{builder, revive};
use harness::{
    Server, ServerVersion,
    stores::{block_on, every_algorithm},
};

const PROCESSES: usize = 3;
const TIMES: u32 = 5;

struct Service {
    server: Server,
    /// The limiter of each process.
    limiters: Vec<RateLimiter>,
    clock: ManualClock,
}

impl Service {
    async fn new() -> Self {
        let server = Server::start(ServerVersion::Redis7);
        let clock = ManualClock::new();
        let mut limiters = Vec::new();
        for _ in 0..PROCESSES {
            let builder = builder(server.url())
                .deadline(Duration::from_secs(5))
                .failure_mode(FailureMode::Local)
                .failure_threshold(1)
                // No denial cache: each request must notice the outage, denied ones too.
                .denial_cache(Duration::ZERO)
                .clock(clock.clone());
            limiters.push(builder.build().await.unwrap());
        }
        Self {
            server,
            limiters,
            clock,
        }
    }

    /// The number of admissions in each process, out of `asked` checks.
    async fn admitted(&self, limit: &Limit, asked: usize) -> Vec<usize> {
        let mut admitted = Vec::new();
        for limiter in &self.limiters {
            admitted.push(admitted_by(limiter, limit, asked).await);
        }
        admitted
    }
}

async fn admitted_by(limiter: &RateLimiter, limit: &Limit, asked: usize) -> usize {
    let mut admitted = 0;
    for _ in 0..asked {
        let decision = limiter.check(limit, "ann").await.unwrap();
        admitted += usize::from(decision.is_allowed());
    }
    admitted
}

#[test]
fn each_admits_a_quota_at_worst_and_none_a_second() {
    block_on(async {
        for limit in every_algorithm(TIMES, 60) {
            let limit = limit.name("several");
            let mut service = Service::new().await;
            // The number that a limiter admits at once on its own.
            let fresh = RateLimiter::builder().memory().clock(service.clock.clone());
            let fresh = fresh.build().await.unwrap();
            let quota = admitted_by(&fresh, &limit, 10).await;

            // The first process uses a part of the quota before the outage.
            let before = admitted_by(&service.limiters[0], &limit, 2).await;
            service.server.kill();
            let alone = service.admitted(&limit, 10).await;
            assert_eq!(alone, [quota - before, quota, quota], "{limit:?}");

            // Redis has forgotten everything; the processes have not.
            revive(&mut service.server, &service.limiters).await;
            for limiter in &service.limiters {
                assert!(!limiter.peek(&limit, "ann").await.unwrap().is_fallback());
            }
            assert_eq!(
                service.admitted(&limit, 10).await,
                [0; PROCESSES],
                "{limit:?}"
            );

            // Once the local admissions have expired, the processes share one quota again.
            service.clock.advance(Duration::from_secs(600));
            let shared: usize = service.admitted(&limit, 10).await.iter().sum();
            assert_eq!(shared, quota, "{limit:?}");
        }
    });
}

/// An identity without local admissions has the quota of Redis alone.
#[test]
fn other_processes_get_one_quota_at_once() {
    block_on(async {
        let limit = Limit::per_minute(TIMES).name("others");
        let mut service = Service::new().await;
        service.server.kill();
        service.admitted(&limit, 10).await;
        revive(&mut service.server, &service.limiters).await;
        let mut admitted = 0;
        for limiter in service.limiters.iter().cycle().take(30) {
            let decision = limiter.check(&limit, "bob").await.unwrap();
            admitted += u32::from(decision.is_allowed());
        }
        assert_eq!(admitted, TIMES);
    });
}
