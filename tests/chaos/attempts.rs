//! Connection attempts while Redis is unreachable. Backoff must keep them few.

use std::time::{Duration, Instant};

use actix_throttle::{FailureMode, Limit};
use tokio::time::sleep;

use super::{builder, outage::BACK, outage_scenario::OutageScenario};
use harness::{Mode, Proxy, Server, ServerVersion, stores::block_on};

const LIMIT: Limit = Limit::per_hour(1_000_000).name("attempts");
const WHILE: Duration = Duration::from_secs(2);

#[actix_web::test]
async fn workers_under_load_make_few() {
    let server = Server::start(ServerVersion::Redis7);
    let proxy = Proxy::start(server.port());
    let limiter = builder(proxy.url()).build().await.unwrap();
    let scenario = OutageScenario::start(&limiter);
    scenario.until_exact(BACK).await;
    let before = proxy.accepted();
    proxy.set(Mode::Refuse);
    scenario.run(WHILE).await;
    let attempts = proxy.accepted() - before;
    proxy.set(Mode::Pass);
    // Three connections (two workers, one of the limiter's builder) try at once, then after 0.1 and
    // 0.2 s, and with an open circuit after 0.25 s and every 0.4 s. Jitter may halve each pause.
    assert!((6..=36).contains(&attempts), "{attempts}");
    scenario.until_exact(BACK).await;
    scenario.finish(&server).await;
}

#[actix_web::test]
async fn each_worker_makes_one_at_a_time() {
    let server = Server::start(ServerVersion::Redis7);
    let proxy = Proxy::start(server.port());
    let limiter = builder(proxy.url()).build().await.unwrap();
    let scenario = OutageScenario::start(&limiter);
    scenario.until_exact(BACK).await;
    proxy.set(Mode::Swallow);
    let end = Instant::now() + WHILE * 2;
    let mut most = 0;
    while Instant::now() < end {
        most = most.max(proxy.connections());
        scenario.run(Duration::from_millis(5)).await;
    }
    // Each of the three has a stalled connection and an attempt at its successor. An abandoned one
    // may take a moment to close.
    assert!((3..=7).contains(&most), "{most}");
    proxy.set(Mode::Pass);
    scenario.until_exact(BACK * 2).await;
    scenario.finish(&server).await;
}

/// Requests that wait without a circuit breaker make attempts more frequent, but never one per
/// request.
#[test]
fn requests_hasten_them_to_ten_a_second() {
    let server = Server::start(ServerVersion::Redis7);
    let proxy = Proxy::start(server.port());
    block_on(async {
        let builder = builder(proxy.url())
            .deadline(Duration::from_secs(5))
            .failure_mode(FailureMode::Closed)
            .failure_threshold(u32::MAX);
        let limiter = builder.build().await.unwrap();
        limiter.check(&LIMIT, "ann").await.unwrap();
        proxy.set(Mode::Refuse);
        let before = proxy.accepted();
        let end = Instant::now() + WHILE;
        while Instant::now() < end {
            assert!(limiter.check(&LIMIT, "ann").await.is_err());
            sleep(Duration::from_millis(1)).await;
        }
        let attempts = proxy.accepted() - before;
        assert!((8..=22).contains(&attempts), "{attempts}");

        // Backoff has reached its longest pause by now; a request must not wait for its end.
        proxy.set(Mode::Pass);
        sleep(Duration::from_millis(100)).await;
        limiter.check(&LIMIT, "ann").await.unwrap();

        proxy.set(Mode::Refuse);
        assert!(limiter.check(&LIMIT, "ann").await.is_err());
        drop(limiter);
        sleep(Duration::from_millis(50)).await;
        let before = proxy.accepted();
        sleep(WHILE).await;
        assert_eq!(proxy.accepted(), before);
    });
}
