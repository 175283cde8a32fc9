//! Outbound calls that wait for quota, and their refunds.

use std::time::Duration;

use actix_throttle::{Identity, Limit, Outgoing, Paths, RateLimiter, Rule, Throttle};
use actix_web::{HttpResponse, rt, web};
use futures_util::future::join_all;

use super::{AMPLE, Peer, client, is_timed_out, limiters, memory, nobody, process, status};
use harness::{http::live::Live, stores::unique};

/// The window of the upstream service's limits.
const WINDOW: Duration = Duration::from_millis(300);

/// A slow machine delivers some calls late, so the client's window is longer by this.
const MARGIN: Duration = Duration::from_millis(300);

/// An upstream service that answers 429 to more than two calls in a window, and to more than one of
/// a path.
async fn strict() -> Live {
    let limiter = memory().await;
    let mut throttle = Throttle::new();
    for path in ["/a", "/b", "/c"] {
        let rules = [
            Rule::new(Limit::new(2, WINDOW).zone("overall")),
            Rule::new(Limit::new(1, WINDOW).zone(path)),
        ];
        let paths = Paths::regex(&format!("^{path}$")).unwrap();
        throttle = throttle.paths(paths, rules).unwrap();
    }
    Live::behind(&limiter, throttle, |routes| {
        routes.default_service(web::to(HttpResponse::Ok));
    })
}

/// The limits of [`strict`] on the client's side, charged in one decision.
fn careful(limiter: &RateLimiter) -> Outgoing {
    Outgoing::new(limiter)
        .limit(Limit::new(2, WINDOW + MARGIN).name("overall"))
        .limit_by(Limit::new(1, WINDOW + MARGIN).name("path"), |call| {
            format!("{}{}", call.host(), call.path())
        })
}

#[actix_web::test]
async fn tasks_of_two_processes_never_get_429() {
    let prefix = unique("outgoing");
    for processes in [
        vec![memory().await],
        vec![process(&prefix).await, process(&prefix).await],
    ] {
        let peer = strict().await;
        let clients: Vec<_> = processes
            .iter()
            .map(|limiter| client(careful(limiter)))
            .collect();
        let calls = (0..8).map(|call| {
            let client = clients[call % clients.len()].clone();
            let path = ["a", "b", "c"][call % 3];
            let url = format!("http://{}/{path}", peer.address);
            rt::spawn(async move { status(&client, url).await })
        });
        for called in join_all(calls.collect::<Vec<_>>()).await {
            assert_eq!(called.unwrap(), 200);
        }
        // The upstream service denies a client without limits at once.
        let hasty = client(Outgoing::new(&processes[0]));
        let url = format!("http://{}/a", peer.address);
        let (one, other) = (status(&hasty, url.clone()).await, status(&hasty, url).await);
        assert!(one == 429 || other == 429, "{one}, {other}");
    }
}

#[actix_web::test]
async fn named_statuses_are_refunded() {
    let peer = Peer::start().await;
    for limiter in limiters().await {
        let outgoing = Outgoing::new(&limiter).limit(AMPLE);
        let client = client(outgoing.refund_on("5xx, 404".parse().unwrap()));
        for (called, left) in [(200, 99), (500, 99), (404, 99), (403, 98), (503, 98)] {
            let got = status(&client, peer.url(&format!("/{called}"))).await;
            assert_eq!(got, called);
            let remaining = limiter.remaining(&AMPLE, peer.host()).await.unwrap();
            assert_eq!(remaining, left, "after {called}");
        }
    }
}

#[actix_web::test]
async fn call_that_reached_no_upstream_is_refunded() {
    let address = nobody();
    for limiter in limiters().await {
        let client = client(Outgoing::new(&limiter).limit(AMPLE));
        let failed = client.get(format!("http://{address}/")).send().await;
        assert!(!is_timed_out(&failed.unwrap_err()));
        let remaining = limiter.remaining(&AMPLE, address.clone()).await.unwrap();
        assert_eq!(remaining, 100);
    }
}

#[actix_web::test]
async fn call_that_may_have_reached_upstream_stays_charged() {
    // The listener accepts the connection and never responds.
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let limiter = memory().await;
    let client = client(Outgoing::new(&limiter).limit(AMPLE));
    let call = client.get(format!("http://{address}/"));
    let failed = call.timeout(Duration::from_millis(200)).send().await;
    assert!(
        matches!(failed.unwrap_err(), reqwest_middleware::Error::Reqwest(error) if error.is_timeout())
    );
    let remaining = limiter.remaining(&AMPLE, address).await.unwrap();
    assert_eq!(remaining, 99);
}

#[actix_web::test]
async fn call_dropped_while_waiting_is_neither_charged_nor_sent() {
    let window = Duration::from_millis(400);
    let limit = Limit::new(1, window).name("peer");
    for limiter in limiters().await {
        let peer = Peer::start().await;
        let client = client(Outgoing::new(&limiter).limit(limit));
        assert_eq!(status(&client, peer.url("/200")).await, 200);
        let waiting = client.get(peer.url("/200")).send();
        let dropped = rt::time::timeout(Duration::from_millis(50), waiting).await;
        assert!(dropped.is_err(), "it has to wait");
        // Waits beyond the moment at which the call would have been admitted.
        rt::time::sleep(window + Duration::from_millis(50)).await;
        assert_eq!(limiter.remaining(&limit, peer.host()).await.unwrap(), 1);
        assert_eq!(peer.calls(), 1);
    }
}

#[actix_web::test]
async fn no_room_in_time_is_an_error_that_says_so() {
    let limit = Limit::per_minute(1).name("peer");
    for limiter in limiters().await {
        let peer = Peer::start().await;
        let outgoing = Outgoing::new(&limiter).limit(limit);
        let client = client(outgoing.max_wait(Duration::from_millis(50)));
        assert_eq!(status(&client, peer.url("/200")).await, 200);
        let late = client.get(peer.url("/200")).send().await.unwrap_err();
        assert!(is_timed_out(&late), "{late:?}");
        assert_eq!(peer.calls(), 1);
    }
}

#[actix_web::test]
async fn function_chooses_limits_by_the_call() {
    let peer = Peer::start().await;
    let limiter = memory().await;
    let client = client(
        Outgoing::new(&limiter)
            .limits_by(|call| {
                let who = Identity::new(call.path());
                (call.method() == "GET" && call.path() != "/204").then_some((AMPLE, who))
            })
            .max_wait(Duration::ZERO),
    );
    for path in ["/200", "/201", "/201", "/204"] {
        status(&client, peer.url(path)).await;
    }
    for (path, left) in [("/200", 99), ("/201", 98), ("/204", 100)] {
        assert_eq!(
            limiter.remaining(&AMPLE, path).await.unwrap(),
            left,
            "{path}"
        );
    }
}
