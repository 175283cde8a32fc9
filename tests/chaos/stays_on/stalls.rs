//! A server that stalls for a moment.

use std::time::{Duration, Instant};

use actix_throttle::{CircuitState, RateLimiter};
use actix_web::rt::time::sleep;

use super::service::{Service, assert_on_since, undecided};
use harness::{Server, ServerVersion};

const PAUSE: Duration = Duration::from_millis(10);
/// Bound for every request to be decided again once the server continues.
const BACK: Duration = Duration::from_millis(1_500);

/// Stalls the server for this time. Returns when it continued.
async fn stall(server: &Server, length: Duration) -> Instant {
    server.stop();
    sleep(length).await;
    server.resume();
    Instant::now()
}

async fn recovers_from(length: Duration, clients: usize, workers: usize) {
    let server = Server::start(ServerVersion::Redis7);
    let builder = RateLimiter::builder().redis_url(server.url());
    let service = Service::start(builder, workers).await;
    let attacker = service.attacker().await;
    let modes = service.modes(PAUSE).await;
    let load = service.load("/steady", clients, PAUSE);
    sleep(Duration::from_millis(300)).await;
    let end = stall(&server, length).await;
    sleep(BACK * 2).await;
    let answers = load.finish().await;
    assert_on_since(&answers, end + BACK);
    modes.finish(end + BACK).await;
    assert_eq!(service.circuit(), CircuitState::Closed);
    let again = service.ask("/one", &attacker, 5).await;
    assert!(again.iter().all(|answer| answer.status == 429), "{again:?}");
    // Each client waited for one response and did not pile requests onto the stalled server.
    let before = answers.iter().filter(|answer| answer.sent < end).count();
    assert!(undecided(&answers).count() < before, "decided before");
}

#[actix_web::test]
async fn short_stall_is_over_when_it_is_over() {
    recovers_from(Duration::from_millis(150), 3, 2).await;
}

#[actix_web::test]
async fn longer_stall_is_over_soon_after() {
    recovers_from(Duration::from_millis(300), 16, 4).await;
}

#[actix_web::test]
async fn stall_with_many_workers_is_over_soon_after() {
    recovers_from(Duration::from_millis(180), 32, 8).await;
}

/// A second is more than a stall. The time without limits must still be in proportion.
#[actix_web::test]
async fn outage_of_a_second_is_over_soon_after() {
    recovers_from(Duration::from_secs(1), 16, 4).await;
}

#[actix_web::test]
async fn repeated_stalls_cost_no_more_than_each() {
    let server = Server::start(ServerVersion::Redis7);
    let service = Service::start(RateLimiter::builder().redis_url(server.url()), 2).await;
    let load = service.load("/steady", 16, PAUSE);
    let start = Instant::now();
    let mut stalled = Duration::ZERO;
    for _ in 0..4 {
        sleep(Duration::from_millis(800)).await;
        let begin = Instant::now();
        stalled += stall(&server, Duration::from_millis(150)).await - begin;
    }
    sleep(Duration::from_millis(500)).await;
    let whole = start.elapsed();
    let answers = load.finish().await;
    assert_eq!(service.circuit(), CircuitState::Closed);
    let share = stalled.as_secs_f64() / whole.as_secs_f64();
    let (lost, all) = (undecided(&answers).count(), answers.len());
    assert!(
        lost as f64 <= share * all as f64,
        "{lost} of {all}, {share}"
    );
}
