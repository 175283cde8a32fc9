//! Processes that end while they hold a lease.

use std::time::Duration;

use actix_throttle::{Limit, RateLimiter};

use super::{ID, admitted, every_algorithm, start, written};
use harness::{
    Server, ServerVersion, eventually_async,
    stores::{block_on, unique},
};

/// A quota that no test uses up.
const TIMES: u32 = 1_000_000;
const LEASE: u32 = 2_000;

/// The cost that has been charged in Redis.
async fn charged(server: &Server, prefix: &str, limit: &Limit) -> u32 {
    let limiter = RateLimiter::builder()
        .redis_url(server.url())
        .prefix(prefix)
        .deadline(Duration::from_secs(10));
    let limiter = limiter.build().await.unwrap();
    let peeked = limiter.peek(limit, ID).await.unwrap();
    TIMES - peeked.limits()[0].remaining()
}

/// A killed process loses its lease at most: what it held counts as used.
#[test]
fn killed_it_loses_a_lease_at_most() {
    block_on(async {
        let server = Server::start(ServerVersion::Redis7);
        for (name, limit) in every_algorithm(TIMES) {
            let (prefix, lease) = (unique("lease"), LEASE.to_string());
            let more = [("LEASE", lease.as_str()), ("MILLIS", "60000"), ("TELL", "")];
            let limits = written(name, &limit);
            let process = start(1, &server, &prefix, &limits, &more).pop().unwrap();
            let within = Duration::from_secs(30);
            eventually_async("it takes whole leases", within, async || {
                charged(&server, &prefix, &limit).await > 5 * LEASE
            })
            .await;
            let told = u32::try_from(process.kill().lines().count()).unwrap();
            let charged = charged(&server, &prefix, &limit).await;
            assert!(told <= charged, "{name}: {told} of {charged}");
            // The last admission may not have been reported yet.
            assert!(charged <= told + LEASE + 1, "{name}: {told} of {charged}");
        }
    });
}

#[test]
fn closed_it_has_given_everything_back() {
    block_on(async {
        for version in ServerVersion::ALL {
            let server = Server::start(version);
            for (name, limit) in every_algorithm(TIMES) {
                let prefix = unique("lease");
                let lease = LEASE.to_string();
                let more = [("LEASE", lease.as_str()), ("MILLIS", "300"), ("CLOSE", "")];
                let processes = start(4, &server, &prefix, &written(name, &limit), &more);
                let sum: u32 = processes.into_iter().map(admitted).sum();
                assert!(sum > 0, "{name}");
                let charged = charged(&server, &prefix, &limit).await;
                assert_eq!(charged, sum, "{name} on {}", version.name());
            }
        }
    });
}
