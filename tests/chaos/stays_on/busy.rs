//! Workers that are busy with other work. Redis responds in time, and the worker reads it late.

use std::time::Duration;

use actix_throttle::{CircuitState, FailureMode, RateLimiter};
use actix_web::rt::time::sleep;

use super::service::{Service, undecided};
use harness::{Server, ServerVersion};

const NO_PAUSE: Duration = Duration::ZERO;

/// A route without a limit keeps the workers busy. The limits of other routes must stay on.
async fn limits_hold_beside(clients: usize, workers: usize, mode: FailureMode) {
    let server = Server::start(ServerVersion::Redis7);
    let builder = RateLimiter::builder()
        .redis_url(server.url())
        .failure_mode(mode);
    let service = Service::start(builder, workers).await;
    let attacker = service.attacker().await;

    let busy = service.load("/busy", clients, NO_PAUSE);
    let steady = service.load("/steady", 8, NO_PAUSE);
    let attack = service.load_by("/one", vec![attacker; 4], NO_PAUSE);
    sleep(Duration::from_secs(4)).await;
    let (steady, attack) = (steady.finish_busy().await, attack.finish_busy().await);
    busy.finish_busy().await;

    assert_eq!(service.circuit(), CircuitState::Closed);
    assert!(steady.len() + attack.len() > 20, "a load");
    let lost = undecided(&steady).count();
    assert!(lost * 50 <= steady.len(), "{lost} of {}", steady.len());
    let admitted = attack.iter().filter(|answer| answer.status == 200).count();
    assert!(
        admitted * 50 <= attack.len(),
        "{admitted} of {}",
        attack.len()
    );
}

#[actix_web::test]
async fn busy_workers_leave_limits_on_in_mode_open() {
    limits_hold_beside(24, 2, FailureMode::Open).await;
}

#[actix_web::test]
async fn busy_workers_leave_limits_on_in_mode_closed() {
    limits_hold_beside(24, 2, FailureMode::Closed).await;
}

#[actix_web::test]
async fn busy_workers_leave_limits_on_in_mode_local() {
    limits_hold_beside(24, 2, FailureMode::Local).await;
}

#[actix_web::test]
async fn very_busy_workers_leave_limits_on() {
    limits_hold_beside(60, 4, FailureMode::Open).await;
}
