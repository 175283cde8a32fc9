//! How long each request is delayed, beside what `stores` has on every store.

use std::time::Duration;

use actix_throttle::{Config, Enforcement, Throttle, config::Format};
use actix_web::{
    HttpResponse,
    web::{self, ServiceConfig},
};
use futures_util::FutureExt;

use super::{Answer, delayed, routes, send};
use harness::{
    ServerVersion,
    http::app::{TestApp, TestService, is_waiting},
    shared,
    stores::{unique, until},
};

#[actix_web::test]
async fn headers_tell_the_time_after_the_delay() {
    let test_app = TestApp::new().await;
    let service = test_app.service(routes).await;
    service.statuses("/cost?2", 1).await;
    let answer = delayed(&test_app, &service, "/cost?6", 6_000).await;
    assert_eq!(answer.quota(), Some([9, 1, 54]), "{answer:?}");
}

#[actix_web::test]
async fn cost_counts_and_no_cost_is_no_delay() {
    let test_app = TestApp::new().await;
    let service = test_app.service(routes).await;
    assert_eq!(service.get("/cost?2").await.status, 200);
    delayed(&test_app, &service, "/cost?3", 3_000).await;
    let free = service.get("/cost?0").now_or_never();
    assert_eq!(free.expect("not counted, so no delay").status, 200);
    delayed(&test_app, &service, "/cost", 4_000).await;
}

/// A token bucket admits its capacity at once, whatever its rate is.
#[actix_web::test]
async fn limits_of_a_file_delay_by_what_they_admit_at_once() {
    let limits = |algorithm: &str| {
        let words = "slow_after = 1, slow_by = '1s', slow_max = '1m'";
        format!("[[rules]]\nlimits = [{{ {algorithm}, {words} }}]")
    };
    for algorithm in [
        "rate = '1/hour', algorithm = 'token_bucket', capacity = 5",
        "rate = '1/hour', algorithm = 'token_bucket', capacity = 5, refill = 'interval'",
        "times = 5, every = 'day'",
    ] {
        let config = Config::parse(&limits(algorithm), Format::Toml).expect(algorithm);
        let test_app = TestApp::new().await;
        let free = |config: &mut ServiceConfig| {
            config.route("/", web::get().to(HttpResponse::Ok));
        };
        let service = test_app.behind(Throttle::from_config(&config), free).await;
        assert_eq!(service.get("/").await.status, 200, "{algorithm}");
        for ms in [1_000, 2_000, 3_000, 4_000] {
            let answer = delayed(&test_app, &service, "/", ms).await;
            assert_eq!(answer.status, 200, "{algorithm}");
        }
        assert_eq!(service.get("/").await.status, 429, "{algorithm}");
    }
}

#[actix_web::test]
async fn only_enforced_limits_delay() {
    let test_app = TestApp::new().await;
    let service = test_app.service(routes).await;
    for mode in [Enforcement::Shadow, Enforcement::Off] {
        test_app.limiter.set_enforcement(Enforcement::On);
        service.statuses("/slow", 2).await;
        let answer = send(&service, "/slow").await;
        // The clock stands still: the switch ends the delay.
        test_app.limiter.set_enforcement(mode);
        assert_eq!(answer.await.status, 200, "{mode:?}");
        assert_eq!(service.get("/slow").await.status, 200, "{mode:?}");
        test_app.after_seconds(60);
    }
}

/// On Redis, a delay is as long, and a denial for want of room is refunded there.
#[actix_web::test]
async fn delays_go_by_the_counter_in_redis() {
    let test_app = TestApp::with(|builder| {
        let builder = builder.redis_url(shared(ServerVersion::Redis7).url());
        let builder = builder.prefix(unique("slow")).max_waiting(1);
        builder.deadline(Duration::from_secs(10))
    })
    .await;
    let service = test_app.service(routes).await;
    assert_eq!(service.get("/cost?2").await.status, 200);
    let mut second = send_until_charged(&service, 6).await;
    test_app.after_micros(999_999);
    assert!(is_waiting(&mut second).await);
    test_app.after_micros(1);
    assert_eq!(second.await.status, 200);
    let third = send_until_charged(&service, 5).await;
    let denied = service.get("/cost?1").await;
    assert_eq!((denied.status, denied.remaining()), (429, Some(5)));
    test_app.after_seconds(2);
    assert_eq!(third.await.remaining(), Some(5));
}

/// Sends a request and lets it run until Redis has charged it and it waits for the clock.
async fn send_until_charged(service: &TestService, left: u64) -> Answer<'_> {
    let mut answer = send(service, "/cost?1").await;
    until("Redis has charged the request", async || {
        assert!(is_waiting(&mut answer).await);
        // A request of no cost tells what remains. Its reply comes after that to the charge.
        service.get("/cost?0").await.remaining() == Some(left)
    })
    .await;
    assert!(is_waiting(&mut answer).await);
    answer
}
