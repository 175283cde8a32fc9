//! Clients that disconnect in the middle of a decision.

use std::time::Duration;

use actix_throttle::{CircuitState, RateLimiter, rate_limit};
use actix_web::{
    get,
    rt::{self, net::TcpStream},
    web::ServiceConfig,
};

use super::{
    builder,
    workers::{reach, worker},
};
use harness::{
    Server, ServerVersion, eventually_async,
    http::live::{Live, Wire, status},
};

/// Longer than the test takes: no request may end because of its deadline.
const DEADLINE: Duration = Duration::from_secs(10);
const SOON: Duration = Duration::from_secs(3);

#[get("/")]
#[rate_limit(times = 1_000, hours = 1, failure_mode = "closed")]
async fn index() -> &'static str {
    "ok"
}

fn routes(config: &mut ServiceConfig) {
    config.service((index, worker));
}

struct OutageFixture {
    server: Server,
    limiter: RateLimiter,
    live: Live,
}

impl OutageFixture {
    async fn new() -> Self {
        let server = Server::start(ServerVersion::Redis7);
        let builder = builder(server.url()).deadline(DEADLINE);
        let limiter = builder.build().await.unwrap();
        let live = Live::start(&limiter, 1, routes);
        let fixture = Self {
            server,
            limiter,
            live,
        };
        assert_eq!(fixture.get().await, 200);
        fixture
    }

    async fn get(&self) -> u16 {
        status(&self.live.get("/").await)
    }

    /// Sends a request and does not wait for the response.
    async fn ask(&self) -> Wire<TcpStream> {
        let mut wire = self.live.connect().await;
        wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
        wire
    }

    /// Asserts that nothing is left behind: the worker has one connection and two tasks, and the
    /// builder may have one more connection.
    async fn has_what_it_had(&self) {
        eventually_async("two connections", SOON, async || {
            (1..=2).contains(&self.server.clients())
        })
        .await;
        eventually_async("two tasks", SOON, async || {
            reach(&self.live, 1).await[0].1 == 2
        })
        .await;
    }
}

#[actix_web::test]
async fn abandoned_requests_leave_nothing_behind() {
    let fixture = OutageFixture::new().await;
    fixture.server.stop();
    for _ in 0..5 {
        let mut wires = Vec::new();
        for _ in 0..20 {
            wires.push(fixture.ask().await);
        }
        rt::time::sleep(Duration::from_millis(50)).await;
    }
    rt::time::sleep(Duration::from_millis(50)).await;
    fixture.server.resume();
    assert_eq!(fixture.get().await, 200);
    assert_eq!(fixture.limiter.circuit(), CircuitState::Closed);
    fixture.has_what_it_had().await;
}
