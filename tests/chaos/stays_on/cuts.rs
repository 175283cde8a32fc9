//! Connections that are closed while Redis is well, such as by a proxy that reloads, or a server
//! that closes idle clients.

use std::time::{Duration, Instant};

use actix_throttle::{CircuitState, RateLimiter};
use actix_web::rt::time::sleep;

use super::service::{Service, assert_on_since, undecided};
use harness::{Server, ServerVersion};

const PAUSE: Duration = Duration::from_millis(30);

fn cut(server: &Server) {
    let _: i64 = server.cli(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
}

/// A cut loses the calls in flight on a connection. That must be at most one per worker.
async fn cut_costs_little(workers: usize) {
    let server = Server::start(ServerVersion::Redis7);
    let builder = RateLimiter::builder().redis_url(server.url());
    let service = Service::start(builder, workers).await;
    let modes = service.modes(PAUSE).await;
    let load = service.load("/steady", 2 * workers, PAUSE);
    for _ in 0..3 {
        sleep(Duration::from_millis(400)).await;
        cut(&server);
    }
    let latest = Instant::now();
    sleep(Duration::from_millis(1_500)).await;
    let answers = load.finish().await;
    assert_on_since(&answers, latest + Duration::from_secs(1));
    modes.finish(latest + Duration::from_secs(1)).await;
    let lost = undecided(&answers).count();
    assert!(lost <= 3 * service.workers(), "{lost} of {}", answers.len());
    assert_eq!(service.circuit(), CircuitState::Closed);
}

#[actix_web::test]
async fn cut_of_four_workers_costs_little() {
    cut_costs_little(4).await;
}

#[actix_web::test]
async fn cut_of_eight_workers_costs_little() {
    cut_costs_little(8).await;
}

#[actix_web::test]
async fn cut_of_sixteen_workers_costs_little() {
    cut_costs_little(16).await;
}

#[actix_web::test]
async fn server_that_is_restarted_at_once_costs_little() {
    let mut server = Server::start(ServerVersion::Redis7);
    let service = Service::start(RateLimiter::builder().redis_url(server.url()), 4).await;
    let load = service.load("/steady", 8, PAUSE);
    sleep(Duration::from_millis(300)).await;
    let (server_again, ()) = crate::apart(server, |server| server.restart()).await;
    server = server_again;
    let back = Instant::now();
    sleep(Duration::from_secs(2)).await;
    let answers = load.finish().await;
    assert_on_since(&answers, back + Duration::from_secs(1));
    assert_eq!(service.circuit(), CircuitState::Closed);
    drop(server);
}

/// The server closes every connection after a second without a request.
async fn idle_connections_are_there_again(workers: usize) {
    let server = Server::start_with(ServerVersion::Redis7, &["--timeout", "1"]);
    let service = Service::start(RateLimiter::builder().redis_url(server.url()), workers).await;
    let attacker = service.attacker().await;
    // The server checks for idle clients only now and then.
    sleep(Duration::from_millis(3_500)).await;
    let begin = Instant::now();
    let modes = service.modes(PAUSE).await;
    let load = service.load("/steady", 2 * workers, PAUSE);
    let attack = service.load_by("/one", vec![attacker], PAUSE);
    sleep(Duration::from_secs(2)).await;
    let (load, attack) = (load.finish().await, attack.finish().await);
    assert_on_since(&load, begin);
    modes.finish(begin).await;
    let admitted = attack.iter().filter(|answer| answer.status == 200).count();
    assert!(
        admitted * 20 <= attack.len(),
        "{admitted} of {}",
        attack.len()
    );
    assert_eq!(service.circuit(), CircuitState::Closed);
}

#[actix_web::test]
async fn idle_connections_of_four_workers_are_there_again() {
    idle_connections_are_there_again(4).await;
}

#[actix_web::test]
async fn idle_connections_of_eight_workers_are_there_again() {
    idle_connections_are_there_again(8).await;
}

/// A connection that was made again is cut once more before it has served a request.
#[actix_web::test]
async fn connection_that_is_cut_twice_lets_nothing_through() {
    let server = Server::start(ServerVersion::Redis7);
    let service = Service::start(RateLimiter::builder().redis_url(server.url()), 2).await;
    let attacker = service.attacker().await;
    for idle in [1, 7] {
        cut(&server);
        // After five seconds, the connection is pinged.
        sleep(Duration::from_secs(idle)).await;
        cut(&server);
        let attackers = vec![attacker.clone(); 8];
        let attack = service.load_by("/one", attackers, Duration::from_millis(1));
        sleep(Duration::from_millis(300)).await;
        let attack = attack.finish().await;
        let admitted = attack.iter().filter(|answer| answer.status == 200).count();
        assert!(admitted <= 2, "{admitted} of {}", attack.len());
    }
    assert_eq!(service.circuit(), CircuitState::Closed);
}

/// A connection that closes is made again before a request needs it.
#[actix_web::test]
async fn closed_connections_are_made_again_without_a_request() {
    let server = Server::start(ServerVersion::Redis7);
    let service = Service::start(RateLimiter::builder().redis_url(server.url()), 4).await;
    let before = server.clients();
    cut(&server);
    harness::eventually_async("as many connections", Duration::from_secs(2), async || {
        server.clients() == before
    })
    .await;
    drop(service);
}
