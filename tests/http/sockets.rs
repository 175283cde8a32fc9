//! Tests that need real connections: bodies that never arrive, workers, clients that disconnect.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use actix_throttle::rate_limit;
use actix_web::{
    HttpRequest, get, post, rt,
    rt::net::{TcpSocket, TcpStream},
    web::{self, ServiceConfig},
};
use tokio::sync::Notify;

use harness::http::{
    app::TestApp,
    live::{Live, Wire, status},
};

#[post("/upload")]
#[rate_limit("2/minute")]
async fn upload(body: web::Bytes) -> String {
    body.len().to_string()
}

#[get("/hello")]
#[rate_limit("40/minute")]
async fn hello() -> &'static str {
    "hello"
}

fn routes(config: &mut ServiceConfig) {
    config
        .app_data(web::PayloadConfig::new(1 << 30))
        .service((upload, hello));
}

fn head(length: usize) -> String {
    format!("POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n")
}

#[actix_web::test]
async fn denial_does_not_wait_for_a_body_that_never_comes() {
    let test_app = TestApp::new().await;
    let live = Live::start(&test_app.limiter, 1, routes);
    for _ in 0..2 {
        let mut wire = live.connect().await;
        wire.send(head(3) + "abc").await;
        let answer = wire.answer().await;
        assert_eq!(status(&answer), 200);
        assert!(answer.ends_with('3'), "{answer}");
    }
    let mut wire = live.connect().await;
    wire.send(head(1 << 30)).await;
    let answer = wire.answer().await;
    assert_eq!(status(&answer), 429);
    assert!(answer.contains("\r\nretry-after: 60\r\n"), "{answer}");

    let mut wire = live.connect().await;
    wire.send("POST /upload HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        .await;
    assert_eq!(status(&wire.answer().await), 429);
}

#[actix_web::test]
async fn workers_share_one_limit() {
    let test_app = TestApp::new().await;
    let live = Live::start(&test_app.limiter, 2, routes);
    let mut statuses = Vec::new();
    for _ in 0..60 {
        statuses.push(status(&live.get("/hello").await));
    }
    assert_eq!(statuses[..40], [200; 40]);
    assert_eq!(statuses[40..], [429; 20]);
}

#[actix_web::test]
async fn concurrent_requests_are_admitted_exactly_as_often_as_allowed() {
    let test_app = TestApp::new().await;
    let live = Arc::new(Live::start(&test_app.limiter, 2, routes));
    let clients: Vec<_> = (0..100)
        .map(|_| {
            let live = Arc::clone(&live);
            rt::spawn(async move { status(&live.get("/hello").await) })
        })
        .collect();
    let mut admitted = 0;
    for client in clients {
        match client.await.expect("no panic") {
            200 => admitted += 1,
            other => assert_eq!(other, 429),
        }
    }
    assert_eq!(admitted, 40);
}

#[actix_web::test]
async fn limit_goes_on_along_one_connection_and_for_clients_apart() {
    let test_app = TestApp::new().await;
    let live = Live::start(&test_app.limiter, 1, routes);
    let request = "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n";
    let mut wire = live.connect().await;
    for remaining in (0..40).rev() {
        wire.send(request).await;
        let answer = wire.answer().await;
        assert_eq!(status(&answer), 200);
        let header = format!("\r\nx-ratelimit-remaining: {remaining}\r\n");
        assert!(answer.contains(&header), "{answer}");
    }
    // Pipelined requests.
    wire.send(request.repeat(3)).await;
    for _ in 0..3 {
        assert_eq!(status(&wire.answer().await), 429);
    }

    let socket = TcpSocket::new_v4().expect("a socket");
    let other = "127.0.0.2:0".parse().expect("an address");
    socket.bind(other).expect("127.0.0.0/8 is local");
    let mut other = Wire(socket.connect(live.address).await.expect("a server"));
    other.send(request).await;
    assert_eq!(status(&other.answer().await), 200);
}

/// Signals between a test and a waiting handler.
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

impl Signals {
    async fn wait(&self) {
        let _on_drop = OnDrop(Arc::clone(&self.dropped));
        self.started.notify_one();
        self.resume.notified().await;
        self.finished.fetch_add(1, Ordering::SeqCst);
    }
}

#[get("/wait")]
#[rate_limit("3/minute")]
async fn wait(signals: web::Data<Signals>) -> &'static str {
    signals.wait().await;
    "waited"
}

async fn slowly(request: &HttpRequest) -> &'static str {
    let signals = request.app_data::<web::Data<Signals>>().expect("signals");
    signals.wait().await;
    "everyone"
}

#[get("/identify")]
#[rate_limit("3/minute", identifier = slowly)]
async fn identify() -> &'static str {
    "identified"
}

/// Sends a request, and disconnects once it is being served.
async fn leave(live: &Live, signals: &Signals, path: &str) {
    let mut wire = live.connect().await;
    wire.send(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n"))
        .await;
    signals.started.notified().await;
    let stream: TcpStream = wire.0;
    drop(stream);
    signals.dropped.notified().await;
}

/// Sends a request to `path`, disconnects, and returns the response to another one.
async fn leave_and_come_again(path: &'static str) -> String {
    let test_app = TestApp::new().await;
    let signals = Signals::default();
    let data = web::Data::new(signals.clone());
    let live = Live::start(&test_app.limiter, 1, move |config| {
        config.app_data(data.clone()).service((wait, identify));
    });
    leave(&live, &signals, path).await;
    assert_eq!(signals.finished.load(Ordering::SeqCst), 0, "dropped");
    signals.resume.notify_one();
    let answer = live.get(path).await;
    assert_eq!(signals.finished.load(Ordering::SeqCst), 1);
    answer
}

#[actix_web::test]
async fn disconnected_client_is_charged_once_and_blocks_no_other() {
    let answer = leave_and_come_again("/wait").await;
    assert!(answer.ends_with("waited"), "{answer}");
    let charged = "\r\nx-ratelimit-remaining: 1\r\n";
    assert!(answer.contains(charged), "{answer}");
}

#[actix_web::test]
async fn client_that_leaves_before_the_decision_has_used_nothing() {
    let answer = leave_and_come_again("/identify").await;
    assert!(answer.ends_with("identified"), "{answer}");
    let fresh = "\r\nx-ratelimit-remaining: 2\r\n";
    assert!(answer.contains(fresh), "{answer}");
}
