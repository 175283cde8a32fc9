//! Clients that disconnect in each phase of a request.

use std::{sync::atomic::Ordering, time::Duration};

use actix_throttle::{RateLimiter, Rule};
use actix_web::rt::{self, net::TcpStream};
use futures_util::future::join;
use tokio::io::AsyncReadExt;

use super::{Gate, ONE, at_once, is_free, is_taken, one_at_once, routes};
use harness::{
    Mode, Proxy, ServerVersion,
    http::{
        app::TestApp,
        live::{Live, Wire, status},
    },
    shared,
    stores::{StoreFixture, StoreKind, unique},
};

/// The progress of a request.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Phase {
    /// The server has a part of the request head.
    Head,
    /// The server has a part of the request body.
    Body,
    /// The handler runs.
    Handler,
    /// The client has read a part of the response.
    Response,
    /// The response is complete, and the connection is open for the next request.
    Done,
}

impl Phase {
    const ALL: [Self; 5] = [
        Self::Head,
        Self::Body,
        Self::Handler,
        Self::Response,
        Self::Done,
    ];

    fn request(self, scope: &str) -> String {
        let (line, rest) = match self {
            Self::Head => ("GET SCOPE/held", "X-More: "),
            Self::Body => ("POST SCOPE/upload", "Content-Length: 100\r\n\r\nhalf"),
            Self::Handler => ("GET SCOPE/held", "\r\n"),
            Self::Response => ("GET SCOPE/stream", "\r\n"),
            Self::Done => ("GET SCOPE/quick", "\r\n"),
        };
        let line = line.replace("SCOPE", scope);
        format!("{line} HTTP/1.1\r\nHost: a\r\n{rest}")
    }

    /// Sends a request up to this phase and disconnects.
    async fn leave(self, live: &Live, mut wire: Wire<TcpStream>, scope: &str) {
        wire.send(self.request(scope)).await;
        match self {
            Self::Head => rt::time::sleep(Duration::from_millis(50)).await,
            Self::Body | Self::Handler => is_taken(live).await,
            Self::Response => {
                let mut part = [0; 500];
                wire.0.read_exact(&mut part).await.expect("a response");
                is_taken(live).await;
            }
            Self::Done => drop(wire.answer().await),
        }
        if matches!(self, Self::Head | Self::Done) {
            is_free(live).await;
        }
        drop(wire);
    }
}

async fn leave_in_every_phase(limiter: &RateLimiter) {
    let live = Live::behind(limiter, one_at_once(), routes(&Gate::default()));
    for scope in ["/run", "/own"] {
        for phase in Phase::ALL {
            phase.leave(&live, live.connect().await, scope).await;
            is_free(&live).await;
        }
    }
}

#[actix_web::test]
async fn client_that_leaves_releases_its_permit_in_any_phase() {
    for target in [StoreKind::Memory, StoreKind::Server(ServerVersion::Redis7)] {
        leave_in_every_phase(&StoreFixture::new(target).await.limiter).await;
    }
}

/// The client disconnects while Redis is asked for a permit.
#[actix_web::test]
async fn client_leaving_during_store_call_holds_no_permit() {
    let server = shared(ServerVersion::Redis7);
    let proxy = Proxy::start(server.port());
    let limiter = RateLimiter::builder()
        .redis_url(proxy.url())
        .prefix(unique("leaves"))
        .deadline(Duration::from_secs(10));
    let limiter = limiter.build().await.expect("a server");
    let live = Live::behind(&limiter, one_at_once(), routes(&Gate::default()));
    is_free(&live).await;
    for scope in ["/run", "/own"] {
        proxy.set(Mode::Stall);
        let mut wire = live.connect().await;
        wire.send(Phase::Handler.request(scope)).await;
        rt::time::sleep(Duration::from_millis(50)).await;
        drop(wire);
        rt::time::sleep(Duration::from_millis(50)).await;
        proxy.set(Mode::Pass);
        is_free(&live).await;
    }
}

#[actix_web::test]
async fn client_leaving_wait_queue_holds_no_permit() {
    let test_app = TestApp::new().await;
    let gate = Gate::default();
    let waits = Rule::concurrency(ONE).max_wait(Duration::from_secs(60));
    let live = Live::behind(&test_app.limiter, at_once(waits), routes(&gate));
    let first = live.get("/run/held");
    let others = async {
        gate.entered(1).await;
        let mut leaves = live.connect().await;
        leaves.send(Phase::Handler.request("/run")).await;
        rt::time::sleep(Duration::from_millis(50)).await;
        drop(leaves);
        rt::time::sleep(Duration::from_millis(50)).await;
        gate.go.notify_one();
        gate.left(1).await;
        is_free(&live).await;
        assert_eq!(
            gate.entered.load(Ordering::SeqCst),
            1,
            "nobody served who has left"
        );
    };
    let (first, ()) = join(first, others).await;
    assert_eq!(status(&first), 200);
}
