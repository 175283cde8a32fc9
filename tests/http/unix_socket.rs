//! Real connections over a Unix socket: a proxy that is trusted to report its clients.

use std::{env, fs, process};

use actix_throttle::{RateLimiter, rate_limit};
use actix_web::{App, HttpServer, get, rt};
use tokio::net::UnixStream;

use harness::http::{
    app::TestApp,
    live::{Wire, status},
};

#[get("/")]
#[rate_limit("2/minute")]
async fn index() -> &'static str {
    "ok"
}

/// The statuses of requests over a Unix socket, one for each value of `X-Forwarded-For`.
async fn statuses(name: &str, limiter: RateLimiter, clients: &[&str]) -> Vec<u16> {
    let path = env::temp_dir().join(format!("throttle-{name}-{}.sock", process::id()));
    let server = HttpServer::new(move || App::new().app_data(limiter.clone()).service(index))
        .workers(1)
        .disable_signals()
        .bind_uds(&path)
        .expect("a free path")
        .run();
    let handle = server.handle();
    rt::spawn(server);
    let mut statuses = Vec::new();
    for client in clients {
        let mut wire = Wire(UnixStream::connect(&path).await.expect("a server"));
        let head = format!("GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: {client}\r\n\r\n");
        wire.send(&head).await;
        statuses.push(status(&wire.answer().await));
    }
    handle.stop(false).await;
    // The server may have removed the file itself.
    let _ = fs::remove_file(&path);
    statuses
}

#[actix_web::test]
async fn trusted_socket_tells_clients_apart() {
    let test_app = TestApp::with(|builder| {
        let builder = builder.trusted_proxies(["unix"]).expect("valid");
        builder.deny(["203.0.113.0/24"]).expect("valid")
    });
    let limiter = test_app.await.limiter;
    let clients = [
        "198.51.100.1",
        "198.51.100.1",
        "198.51.100.1",
        "198.51.100.2",
        "203.0.113.7",
        "198.51.100.2, unknown",
    ];
    let statuses = statuses("trusted", limiter, &clients).await;
    assert_eq!(statuses, [200, 200, 429, 200, 403, 200]);
}

#[actix_web::test]
async fn untrusted_socket_is_one_client() {
    let limiter = TestApp::new().await.limiter;
    let clients = ["198.51.100.1", "198.51.100.2", "198.51.100.3"];
    let statuses = statuses("untrusted", limiter, &clients).await;
    assert_eq!(statuses, [200, 200, 429]);
}
