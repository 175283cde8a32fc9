//! Refunds of clients that disconnect before the response, over real connections.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use actix_throttle::{FailureMode, Limit};
use actix_web::{
    rt,
    web::{self, ServiceConfig},
};
use tokio::sync::Notify;

use super::*;
use harness::{
    Server, eventually_async,
    http::{
        app::TestApp,
        live::{Live, Wire, status},
    },
};

const LIMIT: Limit = Limit::per_hour(3).zone("leaving");
const MANY: Limit = Limit::per_hour(1000).zone("many");

limited! {
    many: rule(MANY, "5xx");
}

#[derive(Clone, Default)]
struct Signals {
    started: Arc<Notify>,
    resume: Arc<Notify>,
    dropped: Arc<Notify>,
    finished: Arc<AtomicUsize>,
}

struct OnDrop(Arc<Notify>);

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

async fn waiting(gate: Limited<(web::Data<Signals>,)>) -> HttpResponse {
    static RULES: HandlerRules = HandlerRules::new(|| vec![rule(LIMIT, "5xx")]);
    let handler = |(signals,): (web::Data<Signals>,)| async move {
        let _on_drop = OnDrop(Arc::clone(&signals.dropped));
        signals.started.notify_one();
        signals.resume.notified().await;
        signals.finished.fetch_add(1, Ordering::SeqCst);
        HttpResponse::InternalServerError().finish()
    };
    run_limited(gate, &RULES, handler, respond).await
}

fn routes(signals: &Signals) -> impl Fn(&mut ServiceConfig) + Clone + Send + 'static {
    let signals = signals.clone();
    move |config| {
        config
            .app_data(web::Data::new(signals.clone()))
            .route("/waiting", web::get().to(waiting))
            .route("/many", web::get().to(many));
    }
}

async fn begin(live: &Live, path: &str) -> Wire<rt::net::TcpStream> {
    let mut wire = live.connect().await;
    wire.send(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n"))
        .await;
    wire
}

async fn left(limiter: &RateLimiter, limit: &Limit) -> u32 {
    let identity = limiter.client_identity("127.0.0.1".parse().expect("an address"));
    let peeked = limiter.peek(limit, identity).await.expect("a decision");
    peeked.limits()[0].remaining()
}

#[actix_web::test]
async fn client_that_leaves_before_the_status_stays_charged() {
    for target in STORES {
        let store = StoreFixture::new(target).await;
        let signals = Signals::default();
        let live = Live::start(&store.limiter, 1, routes(&signals));
        let wire = begin(&live, "/waiting").await;
        signals.started.notified().await;
        drop(wire);
        signals.dropped.notified().await;
        assert_eq!(signals.finished.load(Ordering::SeqCst), 0);
        assert_eq!(left(&store.limiter, &LIMIT).await, 2, "{target:?}");
        signals.resume.notify_one();
        // A client that stays has its charge refunded.
        let mut wire = begin(&live, "/waiting").await;
        let answer = wire.answer().await;
        assert_eq!(status(&answer), 500);
        assert!(
            answer.contains("\r\nx-ratelimit-remaining: 2\r\n"),
            "{answer}"
        );
    }
}

/// Redis stalls with a call in flight, so the refund is still queued when the client disconnects.
#[actix_web::test]
async fn client_that_leaves_after_the_status_has_its_charge_back() {
    for version in ServerVersion::ALL {
        let server = Server::start(version);
        let limiter = RateLimiter::builder()
            .redis_url(server.url())
            .deadline(Duration::from_secs(20))
            .failure_mode(FailureMode::Closed)
            .build()
            .await
            .expect("a limiter");
        let signals = Signals::default();
        let live = Live::start(&limiter, 1, routes(&signals));
        let leaving = begin(&live, "/waiting").await;
        signals.started.notified().await;
        server.stop();
        let mut other = begin(&live, "/many?status=200").await;
        // Waits until the worker has sent the other request's call; it is idle otherwise.
        rt::time::sleep(Duration::from_millis(200)).await;
        signals.resume.notify_one();
        signals.dropped.notified().await;
        assert_eq!(signals.finished.load(Ordering::SeqCst), 1);
        drop(leaving);
        rt::time::sleep(Duration::from_millis(200)).await;
        server.resume();
        assert_eq!(status(&other.answer().await), 200);
        eventually_async(
            "the charge is refunded",
            Duration::from_secs(10),
            async || left(&limiter, &LIMIT).await == 3,
        )
        .await;
    }
}

#[actix_web::test]
async fn crowd_on_two_workers_leaves_exactly_what_succeeded() {
    let bench_of = async |target| StoreFixture::new(target).await.limiter;
    let mut limiters = vec![TestApp::new().await.limiter];
    for target in STORES {
        limiters.push(bench_of(target).await);
    }
    for limiter in limiters {
        let live = Arc::new(Live::start(&limiter, 2, routes(&Signals::default())));
        let clients: Vec<_> = (0..150)
            .map(|index| {
                let live = Arc::clone(&live);
                rt::spawn(async move {
                    let wanted = if index % 3 == 0 { 200 } else { 503 };
                    let answer = live.get(&format!("/many?status={wanted}")).await;
                    assert_eq!(status(&answer), wanted);
                })
            })
            .collect();
        for client in clients {
            client.await.expect("no panic");
        }
        assert_eq!(left(&limiter, &MANY).await, 950);
    }
}
