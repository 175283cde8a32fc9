//! Which responses pause calls, and whose.

use std::{
    pin::pin,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use actix_throttle::{
    Outgoing, RateLimitError, RateLimiter,
    outgoing::{Request, Response},
};
use futures_util::FutureExt;

use super::{AMPLE, Peer, client, limiters, memory, process, status};
use harness::{
    http::app::{TestApp, is_waiting},
    stores::unique,
};

const BRIEF: Duration = Duration::from_millis(100);

/// Returns whether a call to this host has to wait.
async fn is_paused(outgoing: &Outgoing, host: &str) -> bool {
    match outgoing.acquire(&Request::new("GET", host, "/")).await {
        Ok(_) => false,
        Err(RateLimitError::TimedOut { .. }) => true,
        Err(error) => panic!("{error}"),
    }
}

/// Reports this response to a call to the host.
async fn answer(outgoing: &Outgoing, host: &str, answer: Response<'_>) {
    let call = Request::new("GET", host, "/");
    outgoing
        .acquire(&call)
        .await
        .unwrap()
        .completed(answer)
        .await;
}

#[actix_web::test]
async fn listed_statuses_pause_and_others_do_not() {
    for (statuses, pausing, others) in [
        (None, &[429, 503][..], &[403, 500, 200][..]),
        (Some("403, 429, 503"), &[403, 429, 503], &[500, 200]),
        (Some("5xx"), &[500, 503], &[429, 403]),
    ] {
        for limiter in limiters().await {
            let mut outgoing = Outgoing::new(&limiter).limit(AMPLE).max_wait(BRIEF);
            if let Some(statuses) = statuses {
                outgoing = outgoing.pause_on(statuses);
            }
            outgoing.validate().unwrap();
            let with = |status| Response::new(status).retry_after(Some("60"));
            for (index, status) in others.iter().enumerate() {
                let host = format!("calm{index}");
                answer(&outgoing, &host, with(*status)).await;
                assert!(!is_paused(&outgoing, &host).await, "{statuses:?} {status}");
            }
            for (index, status) in pausing.iter().enumerate() {
                let host = format!("busy{index}");
                answer(&outgoing, &host, Response::new(*status)).await;
                assert!(
                    !is_paused(&outgoing, &host).await,
                    "it did not say how long"
                );
                answer(&outgoing, &host, with(*status)).await;
                assert!(is_paused(&outgoing, &host).await, "{statuses:?} {status}");
            }
        }
    }
}

#[actix_web::test]
async fn used_up_quota_pauses_until_its_reset() {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let (soon, past) = (now.as_secs() + 60, now.as_secs() - 60);
    let (soon, past) = (soon.to_string(), past.to_string());
    let limiter = memory().await;
    let plain = Outgoing::new(&limiter).limit(AMPLE).max_wait(BRIEF);
    let github = plain.clone().pause_on("403, 429");
    let used_up = |reset: &'static str| {
        Response::new(403)
            .rate_limit_remaining(Some("0"))
            .rate_limit_reset(Some(reset))
    };
    answer(&github, "a", used_up("60")).await;
    assert!(is_paused(&github, "a").await);
    let reset = Response::new(429).rate_limit_remaining(Some("0"));
    answer(&github, "b", reset.rate_limit_reset(Some(&soon))).await;
    assert!(is_paused(&github, "b").await);
    answer(&github, "c", reset.rate_limit_reset(Some(&past))).await;
    assert!(!is_paused(&github, "c").await);
    let left = Response::new(403).rate_limit_remaining(Some("1"));
    answer(&github, "d", left.rate_limit_reset(Some("60"))).await;
    assert!(!is_paused(&github, "d").await, "a refusal like any other");
    // A used-up quota pauses nothing without `pause_on`.
    answer(&plain, "e", reset.rate_limit_reset(Some("60"))).await;
    assert!(!is_paused(&plain, "e").await);
    // `Retry-After` comes first.
    let both = used_up("60").retry_after(Some("0"));
    answer(&github, "f", both).await;
    assert!(
        is_paused(&github, "f").await,
        "0 s is no wait, so the reset counts"
    );
}

#[actix_web::test]
async fn reqwest_and_awc_read_the_headers_of_github() {
    let peer = Peer::start().await;
    let reset = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs()
        + 60;
    let path = format!("/403?x-ratelimit-remaining=0&x-ratelimit-reset={reset}");
    for uses_awc in [false, true] {
        let limiter = memory().await;
        let outgoing = Outgoing::new(&limiter).limit(AMPLE).max_wait(BRIEF);
        let outgoing = outgoing.pause_on("403");
        let told = if uses_awc {
            let request = actix_throttle::awc::Client::default().get(peer.url(&path));
            let sent = outgoing.send(request, |request| request.send()).await;
            sent.unwrap().status().as_u16()
        } else {
            status(&client(outgoing.clone()), peer.url(&path)).await
        };
        assert_eq!(told, 403);
        assert!(is_paused(&outgoing, &peer.host()).await, "awc: {uses_awc}");
    }
}

#[actix_web::test]
async fn pause_is_for_identities_or_for_the_host() {
    for per_host in [false, true] {
        let prefix = unique("pauses");
        let (one, other) = (process(&prefix).await, process(&prefix).await);
        for (one, other) in [(memory().await, None), (one, Some(other))] {
            let other = other.as_ref().unwrap_or(&one);
            let make = |limiter: &RateLimiter| {
                let outgoing = Outgoing::new(limiter).limit_by(AMPLE, |_| "everything");
                let outgoing = outgoing.max_wait(BRIEF);
                if per_host {
                    outgoing.pause_per_host()
                } else {
                    outgoing
                }
            };
            let (one, other) = (make(&one), make(other));
            let later = Response::new(503).retry_after(Some("30"));
            answer(&one, "busy", later).await;
            for outgoing in [&one, &other] {
                assert!(is_paused(outgoing, "busy").await, "{per_host}");
                assert_eq!(is_paused(outgoing, "calm").await, !per_host);
            }
        }
    }
}

#[actix_web::test]
async fn call_waits_for_the_end_of_its_hosts_pause() {
    let test_app = TestApp::new().await;
    // A pause per host needs no limit.
    let outgoing = Outgoing::new(&test_app.limiter).pause_per_host();
    let outgoing = outgoing.max_wait(Duration::from_secs(10));
    let outgoing = outgoing.max_retry_after(Duration::from_millis(300));
    let later = Response::new(429).retry_after(Some("60"));
    answer(&outgoing, "busy", later).await;
    let call = Request::new("GET", "busy", "/");
    let mut waits = pin!(outgoing.acquire(&call));
    assert!(is_waiting(&mut waits).await);
    test_app.after_micros(299_999);
    assert!(is_waiting(&mut waits).await);
    test_app.after_micros(1);
    drop(waits.await.unwrap());
    for _ in 0..50 {
        let permit = outgoing.acquire(&call).now_or_never();
        drop(permit.expect("a pause counts nothing").unwrap());
    }
}

#[actix_web::test]
async fn text_that_names_no_statuses_is_an_error_everywhere() {
    let limiter = memory().await;
    for (text, expected) in [
        ("4o3", "`4o3` is not a status"),
        ("", ""),
        ("403, 4xx", "403"),
    ] {
        let outgoing = Outgoing::new(&limiter).limit(AMPLE).pause_on(text);
        let told = outgoing.validate().unwrap_err().to_string();
        assert!(told.contains(expected), "{told}");
        let call = Request::new("GET", "towns.example", "/");
        let error = outgoing.acquire(&call).await.unwrap_err();
        assert!(matches!(error, RateLimitError::InvalidStatuses(_)));
        assert_eq!(error.to_string(), format!("`pause_on`: {told}"));
    }
    assert_eq!(
        limiter.remaining(&AMPLE, "towns.example").await.unwrap(),
        100
    );
}
