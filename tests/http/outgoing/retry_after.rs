//! `Retry-After` of an upstream service holds back further calls.

use std::time::{Duration, Instant};

use actix_throttle::Outgoing;

use super::{AMPLE, Peer, client, is_timed_out, memory, process, status};
use harness::stores::unique;

const SECOND: Duration = Duration::from_secs(1);

#[actix_web::test]
async fn other_processes_wait_for_retry_after() {
    let peer = Peer::start().await;
    for path in [
        "/429?retry-after=1",
        "/503?retry-after=1",
        // The date is relative to the clock of the upstream service, which is far behind.
        "/429?date=Sun,+06+Nov+1994+12:00:00+GMT&retry-after=Sun,+06+Nov+1994+12:00:01+GMT",
    ] {
        let prefix = unique("outgoing");
        let (one, other) = (process(&prefix).await, process(&prefix).await);
        let one = client(Outgoing::new(&one).limit(AMPLE));
        let other = client(Outgoing::new(&other).limit(AMPLE));
        let before = Instant::now();
        assert_eq!(status(&other, peer.url("/200")).await, 200);
        assert!(before.elapsed() < SECOND, "nothing to wait for yet");

        let told = Instant::now();
        assert!(matches!(status(&one, peer.url(path)).await, 429 | 503));
        assert_eq!(status(&other, peer.url("/200")).await, 200);
        let waited = told.elapsed();
        assert!(waited >= SECOND * 9 / 10, "{path}: {waited:?}");
        assert!(waited < SECOND * 8, "{path}: {waited:?}");
    }
}

#[actix_web::test]
async fn wait_that_is_longer_than_allowed_is_an_error() {
    let peer = Peer::start().await;
    let limiter = memory().await;
    let outgoing = Outgoing::new(&limiter).limit(AMPLE);
    let client = client(outgoing.max_wait(Duration::from_millis(100)));
    assert_eq!(status(&client, peer.url("/429?retry-after=30")).await, 429);
    let late = client.get(peer.url("/200")).send().await.unwrap_err();
    assert!(is_timed_out(&late), "{late:?}");
    assert_eq!(peer.calls(), 1);
}

#[actix_web::test]
async fn retry_after_is_bounded() {
    let peer = Peer::start().await;
    for (most, least) in [(0, 0), (300, 250)] {
        let limiter = memory().await;
        let outgoing = Outgoing::new(&limiter).limit(AMPLE);
        let outgoing = outgoing.max_retry_after(Duration::from_millis(most));
        let client = client(outgoing.max_wait(Duration::from_secs(10)));
        let told = Instant::now();
        assert_eq!(
            status(&client, peer.url("/429?retry-after=3600")).await,
            429
        );
        assert_eq!(status(&client, peer.url("/200")).await, 200);
        assert!(told.elapsed() >= Duration::from_millis(least));
    }
}

#[actix_web::test]
async fn only_429_and_503_stop_calls_and_only_if_they_say_when() {
    let peer = Peer::start().await;
    for path in [
        "/200?retry-after=30",
        "/500?retry-after=30",
        "/429",
        "/503?retry-after=soon",
        "/429?retry-after=0",
    ] {
        let limiter = memory().await;
        let client = client(
            Outgoing::new(&limiter)
                .limit(AMPLE)
                .max_wait(Duration::ZERO),
        );
        status(&client, peer.url(path)).await;
        assert_eq!(status(&client, peer.url("/200")).await, 200, "{path}");
    }
}

#[actix_web::test]
async fn waiting_call_is_not_admitted_by_a_refund() {
    let peer = Peer::start().await;
    let limiter = memory().await;
    let limit = actix_throttle::Limit::per_minute(1).name("peer");
    let outgoing = Outgoing::new(&limiter)
        .limit(limit)
        .refund_on("429".parse().unwrap());
    let client = client(outgoing.max_wait(Duration::from_secs(100)));
    let told = Instant::now();
    // The second call waits for quota, because the first has used it up.
    let (first, second) = tokio::join!(
        status(&client, peer.url("/429?retry-after=1")),
        status(&client, peer.url("/200")),
    );
    assert_eq!((first, second), (429, 200));
    assert!(told.elapsed() >= SECOND * 9 / 10, "{:?}", told.elapsed());
}
