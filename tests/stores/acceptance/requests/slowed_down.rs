//! Requests that are delayed more and more, by the counter in the store.

use std::{pin::Pin, time::Duration};

use actix_throttle::{
    Algorithm, Concurrency, Config, Identity, Limit, Period, Rule, Semaphore, Throttle,
    concurrency_limit, config::Format, rate_limit,
};
use actix_web::{
    HttpResponse, get,
    web::{self, ServiceConfig},
};
use futures_util::FutureExt;

use super::{super::for_every_store, behind, left, service};
use harness::{
    http::app::{TestResponse, TestService, get_from, is_waiting},
    stores::{StoreFixture, every_algorithm, until},
};

for_every_store!(
    attribute_middleware_and_file_delay_by_a_step_more,
    every_algorithm_delays_by_what_is_used,
    delay_goes_by_what_others_have_used,
    longest_delay_of_several_counts,
    client_that_leaves_stays_counted,
    delayed_request_holds_no_permit,
    delayed_request_without_a_permit_is_uncounted,
);

const SLOW: Limit = Limit::per_minute(6).name("slow").zone("slow");

#[get("/")]
#[rate_limit(
    "6/minute",
    name = "slow",
    zone = "slow",
    slow_after = 2,
    slow_by = "200ms",
    slow_max = "500ms"
)]
async fn by_attribute() -> &'static str {
    "ok"
}

/// Two slow-downs, of which the longer one counts.
#[get("/stacked")]
#[rate_limit(
    "6/minute",
    zone = "slow",
    slow_after = 1,
    slow_by = "1s",
    slow_max = "1m"
)]
#[rate_limit(
    "9/hour",
    zone = "hour",
    slow_after = 2,
    slow_by = "4s",
    slow_max = "1m"
)]
async fn stacked() -> &'static str {
    "ok"
}

#[get("/permit")]
#[rate_limit(
    "6/minute",
    zone = "slow",
    slow_after = 1,
    slow_by = "1s",
    slow_max = "1m"
)]
#[concurrency_limit(max = 1, name = "permit", zone = "permits", identifier = global)]
async fn permit() -> &'static str {
    "ok"
}

#[get("/held")]
#[concurrency_limit(max = 1, name = "permit", zone = "permits", identifier = global)]
async fn held() -> HttpResponse {
    std::future::pending().await
}

fn routes(config: &mut ServiceConfig) {
    config.service((by_attribute, stacked, permit, held));
}

/// A handler without limits of its own.
fn free(config: &mut ServiceConfig) {
    config.route("/", web::get().to(HttpResponse::Ok));
}

type Answer<'a> = Pin<Box<dyn Future<Output = TestResponse> + 'a>>;

/// Sends a request and lets it run until the store has charged it, so that this much of the limit
/// is left, and it waits for the clock.
async fn send<'a>(
    store: &StoreFixture,
    service: &'a TestService,
    path: &'a str,
    (limit, remaining): (&Limit, u32),
) -> Answer<'a> {
    let mut answer: Answer<'a> = Box::pin(service.get(path));
    until("the request is charged", async || {
        assert!(is_waiting(&mut answer).await, "{path} is not delayed");
        // The store's reply comes after that to the charge.
        left(store, limit).await == remaining
    })
    .await;
    assert!(is_waiting(&mut answer).await, "{path} is not delayed");
    answer
}

/// Asserts that the next request is delayed by this many milliseconds, and returns its answer.
async fn delayed(
    store: &StoreFixture,
    service: &TestService,
    path: &str,
    charged: (&Limit, u32),
    ms: u64,
) -> TestResponse {
    let mut answer = send(store, service, path, charged).await;
    store.advance(ms * 1_000 - 1);
    assert!(is_waiting(&mut answer).await, "{path} waits for {ms} ms");
    store.advance(1);
    answer.await
}

async fn attribute_middleware_and_file_delay_by_a_step_more(store: &StoreFixture) {
    let rule = Rule::new(SLOW.zone("rule"))
        .slow_after(2)
        .slow_by(Duration::from_millis(200))
        .slow_max(Duration::from_millis(500));
    let by_rule = Throttle::new().paths(".*", [rule]).unwrap();
    let file = "[[rules]]\nlimits = [{ rate = '6/minute', zone = 'file', slow_after = 2, \
                slow_by = '200ms', slow_max = '500ms' }]";
    let config = Config::parse(file, Format::Toml).unwrap();
    let by_file = Throttle::from_config(&config);
    for (service, zone) in [
        (service(store, routes).await, "slow"),
        (behind(store, by_rule, free).await, "rule"),
        (behind(store, by_file, free).await, "file"),
    ] {
        let limit = SLOW.zone(zone);
        assert_eq!(service.statuses("/", 2).await, [200, 200], "{zone}");
        for (ms, remaining) in [(200, 3), (400, 2), (500, 1), (500, 0)] {
            let answer = delayed(store, &service, "/", (&limit, remaining), ms).await;
            let expected = (200, Some(remaining.into()));
            assert_eq!((answer.status, answer.remaining()), expected, "{zone}");
        }
        // The limit still denies. The clock stands still, so it does so without a delay.
        assert_eq!(service.statuses("/", 2).await, [429, 429], "{zone}");
        store.advance(60_000_000);
        assert_eq!(service.statuses("/", 2).await, [200, 200], "{zone}");
    }
}

async fn every_algorithm_delays_by_what_is_used(store: &StoreFixture) {
    // The windows are so long that the delays regain nothing.
    let mut limits = every_algorithm(5, 366 * 24 * 3_600).to_vec();
    limits.retain(|limit| limit.algorithm_value() != Algorithm::LeakyBucket);
    limits.push(Limit::every(Period::Year, 5));
    for limit in limits {
        let limit = limit.name("slow").zone("slow");
        let rule = Rule::new(limit)
            .slow_after(1)
            .slow_by(Duration::from_secs(1))
            .slow_max(Duration::from_secs(60));
        let throttle = Throttle::new().paths(".*", [rule]).unwrap();
        let service = behind(store, throttle, free).await;
        store.limiter.reset(&limit, super::client()).await.unwrap();
        assert_eq!(service.get("/").await.status, 200, "{limit:?}");
        for (ms, remaining) in [(1_000, 3), (2_000, 2), (3_000, 1), (4_000, 0)] {
            let answer = delayed(store, &service, "/", (&limit, remaining), ms).await;
            assert_eq!(answer.status, 200, "{limit:?}");
        }
        assert_eq!(service.get("/").await.status, 429, "{limit:?}");
    }
}

/// Another process has used the limit.
async fn delay_goes_by_what_others_have_used(store: &StoreFixture) {
    let service = service(store, routes).await;
    for _ in 0..3 {
        let checked = store.limiter.check(&SLOW, super::client()).await;
        assert!(checked.unwrap().is_allowed());
    }
    let answer = delayed(store, &service, "/", (&SLOW, 2), 400).await;
    assert_eq!(answer.status, 200);
    store.limiter.reset(&SLOW, super::client()).await.unwrap();
    assert_eq!(service.statuses("/", 2).await, [200, 200]);
}

async fn longest_delay_of_several_counts(store: &StoreFixture) {
    let service = service(store, routes).await;
    assert_eq!(service.get("/stacked").await.status, 200);
    delayed(store, &service, "/stacked", (&SLOW, 4), 1_000).await;
    delayed(store, &service, "/stacked", (&SLOW, 3), 4_000).await;
}

async fn client_that_leaves_stays_counted(store: &StoreFixture) {
    let service = service(store, routes).await;
    assert_eq!(service.statuses("/", 2).await, [200, 200]);
    drop(send(store, &service, "/", (&SLOW, 3)).await);
    let answer = delayed(store, &service, "/", (&SLOW, 2), 400).await;
    assert_eq!((answer.status, answer.remaining()), (200, Some(2)));
}

async fn delayed_request_holds_no_permit(store: &StoreFixture) {
    let service = service(store, routes).await;
    assert_eq!(service.get("/permit").await.status, 200);
    let waits = send_with_permit(store, &service).await;
    let semaphore = permits(store);
    // The only permit is free for another client, whose request is not delayed.
    let other = service.send(get_from("192.0.2.9", "/permit")).await;
    assert_eq!(other.status, 200);
    until("that one is over", async || {
        semaphore.peek().await.unwrap().limits()[0].remaining() == 1
    })
    .await;
    assert_eq!(finish(store, waits).await.status, 200);
}

/// Sends the second request of `/permit`, and lets it run until it has released its permit.
async fn send_with_permit<'a>(store: &StoreFixture, service: &'a TestService) -> Answer<'a> {
    let mut answer = send(store, service, "/permit", (&SLOW, 4)).await;
    let semaphore = permits(store);
    until("the permit is free", async || {
        assert!(is_waiting(&mut answer).await);
        semaphore.peek().await.unwrap().limits()[0].remaining() == 1
    })
    .await;
    assert!(is_waiting(&mut answer).await);
    answer
}

/// Lets the time pass until a delayed request is answered.
async fn finish(store: &StoreFixture, mut answer: Answer<'_>) -> TestResponse {
    loop {
        if let Some(answer) = (&mut answer).now_or_never() {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
        store.advance(10_000);
    }
}

/// The permits of the handlers above.
fn permits(store: &StoreFixture) -> Semaphore {
    let limit = Concurrency::new(1).zone("permits");
    store.limiter.semaphore(&limit, Identity::global())
}

async fn delayed_request_without_a_permit_is_uncounted(store: &StoreFixture) {
    let service = service(store, routes).await;
    assert_eq!(service.get("/permit").await.status, 200);
    let mut waits = send_with_permit(store, &service).await;
    let mut holder: Answer<'_> = Box::pin(service.get("/held"));
    let semaphore = permits(store);
    until("the handler holds the permit", async || {
        assert!(is_waiting(&mut holder).await && is_waiting(&mut waits).await);
        semaphore.peek().await.unwrap().limits()[0].remaining() == 0
    })
    .await;
    let denied = finish(store, waits).await;
    assert_eq!(denied.status, 429);
    assert!(denied.text().contains("permit"), "{denied:?}");
    assert_eq!(left(store, &SLOW).await, 5);
    drop(holder);
}
