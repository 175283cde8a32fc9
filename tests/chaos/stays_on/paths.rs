//! Networks between an application and its Redis: connections that are dropped silently, black
//! holes, latency.

use std::time::{Duration, Instant};

use actix_throttle::{CircuitState, RateLimiter};
use actix_web::rt::time::sleep;

use super::service::{DEADLINE, Service, assert_on_since};
use harness::{Mode, Proxy, Server, ServerVersion};

const PAUSE: Duration = Duration::from_millis(20);
/// Bound for limits to be on again once new connections work.
const BACK: Duration = Duration::from_secs(5);

/// Open connections silently carry nothing any more; new ones work.
async fn dropped_path_is_replaced(workers: usize) {
    let server = Server::start(ServerVersion::Redis7);
    let proxy = Proxy::start(server.port());
    let service = Service::start(RateLimiter::builder().redis_url(proxy.url()), workers).await;
    let attacker = service.attacker().await;
    let modes = service.modes(PAUSE).await;
    proxy.forsake();
    let dropped = Instant::now();
    let load = service.load("/steady", 2 * workers, PAUSE);
    sleep(BACK + Duration::from_secs(1)).await;
    let answers = load.finish().await;
    assert_on_since(&answers, dropped + BACK);
    modes.finish(dropped + BACK).await;
    assert_eq!(service.circuit(), CircuitState::Closed);
    let again = service.ask("/one", &attacker, 8).await;
    assert!(again.iter().all(|answer| answer.status == 429), "{again:?}");
}

#[actix_web::test]
async fn dropped_path_of_four_workers_is_replaced() {
    dropped_path_is_replaced(4).await;
}

#[actix_web::test]
async fn dropped_path_of_eight_workers_is_replaced() {
    dropped_path_is_replaced(8).await;
}

/// A silently dropped connection is noticed without a request.
#[actix_web::test]
async fn dropped_path_is_replaced_without_a_request() {
    let server = Server::start(ServerVersion::Redis7);
    let proxy = Proxy::start(server.port());
    let service = Service::start(RateLimiter::builder().redis_url(proxy.url()), 2).await;
    proxy.forsake();
    // An idle connection is pinged every five seconds.
    sleep(Duration::from_secs(7)).await;
    let load = service.load("/steady", 8, PAUSE);
    let begin = Instant::now();
    sleep(Duration::from_secs(1)).await;
    assert_on_since(&load.finish().await, begin);
}

/// Everything is lost for seconds, new connections too.
#[actix_web::test]
async fn black_hole_of_seconds_is_over_soon_after() {
    let server = Server::start(ServerVersion::Redis7);
    let proxy = Proxy::start(server.port());
    let service = Service::start(RateLimiter::builder().redis_url(proxy.url()), 4).await;
    let modes = service.modes(PAUSE).await;
    let load = service.load("/steady", 8, PAUSE);
    sleep(Duration::from_millis(200)).await;
    proxy.set(Mode::Swallow);
    sleep(Duration::from_secs(4)).await;
    assert_ne!(
        service.circuit(),
        CircuitState::Closed,
        "nobody is held any more"
    );
    proxy.set(Mode::Pass);
    let end = Instant::now();
    sleep(BACK + Duration::from_secs(1)).await;
    let answers = load.finish().await;
    assert_on_since(&answers, end + BACK);
    modes.finish(end + BACK).await;
    assert_eq!(service.circuit(), CircuitState::Closed);
}

/// Redis replies to every call, and later than requests wait. It is of no use then, so requests are
/// not kept waiting for it.
#[actix_web::test]
async fn server_that_is_always_too_slow_opens_the_circuit() {
    let server = Server::start(ServerVersion::Redis7);
    let proxy = Proxy::start(server.port());
    let service = Service::start(RateLimiter::builder().redis_url(proxy.url()), 2).await;
    proxy.set(Mode::Delay(DEADLINE));
    let load = service.load("/steady", 4, PAUSE);
    sleep(Duration::from_secs(3)).await;
    let slow = Instant::now();
    // Within four seconds, four pauses have ended at most, of 250 ms to 2 s or half of that. So the
    // pause that is under way then is one of 4 s at most.
    sleep(Duration::from_millis(800)).await;
    assert_ne!(service.circuit(), CircuitState::Closed);
    proxy.set(Mode::Pass);
    let end = Instant::now();
    sleep(BACK + Duration::from_secs(1)).await;
    let answers = load.finish().await;
    let meanwhile = answers
        .iter()
        .filter(|one| slow < one.sent && one.sent < end);
    let (all, kept) = meanwhile.fold((0, 0), |(all, kept), one| {
        (all + 1, kept + usize::from(one.took >= DEADLINE / 2))
    });
    assert!(kept * 10 <= all, "{kept} of {all} were kept waiting");
    assert_on_since(&answers, end + BACK);
    assert_eq!(service.circuit(), CircuitState::Closed);
}

/// A connection takes longer to establish than a request may wait; a decision does not.
#[actix_web::test]
async fn distant_server_decides_from_the_first_moments_on() {
    let server = Server::start(ServerVersion::Redis7);
    let proxy = Proxy::start(server.port());
    proxy.set(Mode::Delay(Duration::from_millis(30)));
    let builder = RateLimiter::builder().redis_url(proxy.url());
    let limiter = builder.build().await.unwrap();
    let limit = actix_throttle::Limit::per_hour(1_000).name("distant");
    let begin = Instant::now();
    let mut late = 0;
    while begin.elapsed() < Duration::from_secs(3) {
        let decision = limiter.check(&limit, "ann").await.unwrap();
        late += usize::from(decision.is_fallback() && begin.elapsed() > Duration::from_secs(1));
        assert_eq!(limiter.circuit(), CircuitState::Closed);
        sleep(PAUSE).await;
    }
    // The test machine may delay one decision.
    assert!(late <= 1, "{late} undecided");
}
