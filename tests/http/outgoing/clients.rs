//! Outbound calls limited through awc, and by hand.

use std::time::Duration;

use actix_throttle::{
    CallError, Limit, Outgoing, RateLimitError,
    outgoing::{Request, Response},
};

use super::{AMPLE, Peer, memory, nobody};

#[actix_web::test]
async fn awc_is_charged_and_refunded() {
    let (peer, limiter) = (Peer::start().await, memory().await);
    let outgoing = Outgoing::new(&limiter).limit(AMPLE);
    let outgoing = outgoing.refund_on("5xx".parse().unwrap());
    let client = awc::Client::default();
    for (called, left) in [(200, 99), (500, 99), (404, 98)] {
        let request = client.get(peer.url(&format!("/{called}")));
        let answer = outgoing.send(request, |request| request.send()).await;
        assert_eq!(answer.unwrap().status().as_u16(), called);
        let remaining = limiter.remaining(&AMPLE, peer.host()).await.unwrap();
        assert_eq!(remaining, left, "after {called}");
    }

    let address = nobody();
    let request = client.get(format!("http://{address}/"));
    let failed = outgoing.send(request, |request| request.send()).await;
    assert!(matches!(failed, Err(CallError::Send(_))));
    assert_eq!(limiter.remaining(&AMPLE, address).await.unwrap(), 100);
}

#[actix_web::test]
async fn awc_keeps_the_charge_if_the_server_hangs_up() {
    let limiter = memory().await;
    let outgoing = Outgoing::new(&limiter).limit(AMPLE);
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0))
        .await
        .unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let hangs_up = async {
        use tokio::io::AsyncReadExt;
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.read_u8().await.unwrap();
    };
    let request = awc::Client::default().get(format!("http://{address}/"));
    let call = outgoing.send(request, |request| request.send());
    let (failed, ()) = tokio::join!(call, hangs_up);
    assert!(matches!(failed, Err(CallError::Send(_))));
    assert_eq!(limiter.remaining(&AMPLE, address).await.unwrap(), 99);
}

#[actix_web::test]
async fn awc_waits_for_retry_after_within_its_bound() {
    let (peer, limiter) = (Peer::start().await, memory().await);
    let outgoing = Outgoing::new(&limiter).limit(AMPLE);
    let outgoing = outgoing.max_wait(Duration::from_millis(100));
    let client = awc::Client::default();
    let request = client.get(peer.url("/503?retry-after=30"));
    let answer = outgoing.send(request, |request| request.send()).await;
    assert_eq!(answer.unwrap().status().as_u16(), 503);
    let request = client.get(peer.url("/200"));
    let late = outgoing.send(request, |request| request.send()).await;
    let limited = matches!(
        late,
        Err(CallError::Limited(RateLimitError::TimedOut { .. }))
    );
    assert!(limited);
    assert_eq!(peer.calls(), 1);
}

#[actix_web::test]
async fn manual_calls_report_their_outcome() {
    let limiter = memory().await;
    let limit = Limit::per_minute(3).name("peer");
    let outgoing = Outgoing::new(&limiter)
        .limit(limit)
        .max_wait(Duration::ZERO);
    let call = Request::new("GET", "peer", "/");
    outgoing.acquire(&call).await.unwrap().not_sent().await;
    assert_eq!(limiter.remaining(&limit, "peer").await.unwrap(), 3);
    drop(outgoing.acquire(&call).await.unwrap());
    assert_eq!(limiter.remaining(&limit, "peer").await.unwrap(), 2);
    let permit = outgoing.acquire(&call).await.unwrap();
    permit
        .completed(Response::new(429).retry_after(Some("30")))
        .await;
    let denied = outgoing.acquire(&call).await.unwrap_err();
    assert!(matches!(denied, RateLimitError::TimedOut { .. }));
}
