//! Several processes that lease hand out together what one limit allows.

use actix_throttle::{Limit, RateLimiter};
use futures_util::future::join_all;

use super::{ID, YEAR, admitted, calls, every_algorithm, start, written};
use harness::{
    Server, ServerVersion, shared_cluster,
    stores::{block_on, cluster_pool, unique},
};

const PROCESSES: usize = 3;
const TIMES: u32 = 30_000;

#[test]
fn leases_admit_exactly_the_limit() {
    for version in ServerVersion::ALL {
        let server = Server::start(version);
        for (name, limit) in every_algorithm(TIMES) {
            let before = calls(&server);
            let limits = written(name, &limit);
            let more = [("LEASE", "500"), ("MILLIS", "1200")];
            let processes = start(PROCESSES, &server, &unique("lease"), &limits, &more);
            let sum: u32 = processes.into_iter().map(admitted).sum();
            assert_eq!(sum, TIMES, "{name} on {}", version.name());
            // Batches alone, of 16 at most, would take five times as many.
            let calls = calls(&server) - before;
            assert!(calls < TIMES / 80, "{calls} calls");
        }
    }
}

/// A lease that is stacked on others, one of which runs out first.
#[test]
fn stacked_leases_are_exact() {
    let server = Server::start(ServerVersion::Redis7);
    let limits = "fixed_window/5000/3600000/0 sliding_window/3000/3600000/0";
    let more = [("LEASE", "100"), ("MILLIS", "1200")];
    let processes = start(PROCESSES, &server, &unique("lease"), limits, &more);
    let sum: u32 = processes.into_iter().map(admitted).sum();
    assert_eq!(sum, 3000);
}

#[test]
fn leases_admit_exactly_the_limit_in_a_cluster() {
    block_on(async {
        let prefix = unique("lease");
        let limit = Limit::new(3000, YEAR).lease(50);
        let limiter = async || {
            RateLimiter::builder()
                .redis(cluster_pool(shared_cluster().urls()))
                .prefix(&prefix)
                .deadline(std::time::Duration::from_secs(10))
                .build()
                .await
                .unwrap()
        };
        let hammer = async |limiter: RateLimiter| {
            let mut admitted = 0;
            while limiter.check(&limit, ID).await.unwrap().is_allowed() {
                admitted += 1;
                tokio::task::yield_now().await;
            }
            admitted
        };
        let (one, other) = (limiter().await, limiter().await);
        // Whoever is denied first has the rest still to see what the others give back.
        let rounds = [
            join_all([hammer(one.clone()), hammer(other.clone())]).await,
            join_all([hammer(one), hammer(other)]).await,
        ];
        let sum: u32 = rounds.iter().flatten().sum();
        assert_eq!(sum, 3000);
    });
}
