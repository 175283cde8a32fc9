//! Several processes that lease admit together exactly what one limit allows.

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
            // Batches of at most 16 requests alone would need five times as many calls.
            let calls = calls(&server) - before;
            assert!(calls < TIMES / 80, "{calls} calls");
        }
    }
}

/// Leases of stacked limits, one of which runs out first.
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
        let count_admitted = async |limiter: RateLimiter| {
            let mut admitted = 0;
            while limiter.check(&limit, ID).await.unwrap().is_allowed() {
                admitted += 1;
                tokio::task::yield_now().await;
            }
            admitted
        };
        let (one, other) = (limiter().await, limiter().await);
        // The limiter that is denied first runs again, because the other one may have returned a
        // lease.
        let rounds = [
            join_all([count_admitted(one.clone()), count_admitted(other.clone())]).await,
            join_all([count_admitted(one), count_admitted(other)]).await,
        ];
        let sum: u32 = rounds.iter().flatten().sum();
        assert_eq!(sum, 3000);
    });
}
