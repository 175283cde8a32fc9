//! Clients that disconnect on HTTP/2. Actix continues with their requests, so these keep their
//! permits and places in wait queues, but no longer than the documentation says.

use std::time::Duration;

use actix_throttle::{Algorithm, Limit, Paths, Rule, Throttle};
use actix_web::{
    http::StatusCode,
    rt::{self, net::TcpStream},
};
use h2::{
    Reason, SendStream,
    client::{ResponseFuture, SendRequest},
};
use http::Request;

use super::{Gate, is_free, one_at_once, routes};
use harness::http::{
    app::TestApp,
    live::{Live, status},
};

/// An HTTP/2 connection with prior knowledge.
struct Client(SendRequest<&'static [u8]>);

impl Client {
    async fn connect(live: &Live) -> Self {
        let stream = TcpStream::connect(live.address).await.expect("a server");
        let (requests, connection) = h2::client::Builder::new()
            .handshake(stream)
            .await
            .expect("a server of HTTP/2");
        rt::spawn(async move { drop(connection.await) });
        Self(requests.ready().await.expect("a connection"))
    }

    fn get(&mut self, path: &str) -> (ResponseFuture, SendStream<&'static [u8]>) {
        let request = Request::get(format!("http://a{path}")).body(());
        let sent = self.0.send_request(request.expect("a request"), true);
        sent.expect("a stream")
    }

    async fn status(&mut self, path: &str) -> StatusCode {
        let answer = self.get(path).0.await;
        answer.expect("an answer").status()
    }
}

#[actix_web::test]
async fn permit_of_a_reset_stream_comes_back_when_its_handler_ends() {
    let test_app = TestApp::new().await;
    let gate = Gate::default();
    let live = Live::behind(&test_app.limiter, one_at_once(), routes(&gate));
    let mut client = Client::connect(&live).await;
    for number in 1..=2 {
        let (answer, mut stream) = client.get("/run/held");
        gate.entered(number).await;
        stream.send_reset(Reason::CANCEL);
        drop((answer, stream));
        // The server has seen the reset, because it has responded to a later request of the
        // connection.
        assert_eq!(client.status("/run/quick").await, 429);
        gate.go.notify_one();
        gate.left(number).await;
        is_free(&live).await;
    }
}

#[actix_web::test]
async fn permit_of_closed_connection_returns_when_handler_ends() {
    let test_app = TestApp::new().await;
    let gate = Gate::default();
    let live = Live::behind(&test_app.limiter, one_at_once(), routes(&gate));
    let mut client = Client::connect(&live).await;
    let held = client.get("/run/held");
    gate.entered(1).await;
    drop((held, client));
    gate.go.notify_one();
    gate.left(1).await;
    is_free(&live).await;
}

#[actix_web::test]
async fn reset_stream_keeps_waiting_for_at_most_max_wait() {
    let test_app = TestApp::new().await;
    let one_a_second = Limit::per_second(1).algorithm(Algorithm::LeakyBucket);
    let rule = Rule::new(one_a_second).max_wait(Duration::from_secs(2));
    let throttle = Throttle::new().paths(Paths::all(), [rule]).expect("a rule");
    let live = Live::behind(&test_app.limiter, throttle, routes(&Gate::default()));
    let mut client = Client::connect(&live).await;
    assert_eq!(client.status("/run/quick").await, 200);
    for _ in 0..2 {
        let (answer, mut stream) = client.get("/run/quick");
        // Time to enter the wait queue, behind the request before.
        rt::time::sleep(Duration::from_millis(50)).await;
        stream.send_reset(Reason::CANCEL);
        drop((answer, stream));
    }
    // Their turns are in 1 and 2 seconds, and the next would be in 3, beyond `max_wait`.
    assert_eq!(status(&live.get("/run/quick").await), 429);
    for _ in 0..2 {
        test_app.after_millis(1_000);
        rt::time::sleep(Duration::from_millis(50)).await;
    }
    // Both have had their turns, so a new request is next in the queue.
    let next = rt::spawn({
        let answer = client.get("/run/quick").0;
        async move { answer.await.expect("an answer").status() }
    });
    rt::time::sleep(Duration::from_millis(50)).await;
    test_app.after_millis(1_000);
    assert_eq!(next.await.expect("no panic"), 200);
}
