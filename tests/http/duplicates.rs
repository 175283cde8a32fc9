//! The warning about in-memory limiters that were meant to be one. It is logged once per process,
//! so each test runs in a process of its own.

use actix_throttle::{Builder, HeaderStyle, Identifier, ManualClock, RateLimiter};
use actix_web::{App, HttpRequest, HttpServer, rt};
use futures_util::FutureExt;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use harness::http::app::in_own_process;

const WARNING: &str = "two in-memory limiters with the same settings";

fn in_memory() -> Builder {
    RateLimiter::builder().memory()
}

/// Builds without waiting, as a synchronous closure has to.
fn build(builder: Builder) -> RateLimiter {
    let built = builder.build().now_or_never().expect("no waiting");
    built.expect("valid settings")
}

fn log_to_stderr() {
    env_logger::init();
}

#[actix_web::test]
async fn limiter_built_by_each_worker_is_one_warning() {
    let this = "duplicates::limiter_built_by_each_worker_is_one_warning";
    let Some(log) = in_own_process(this) else {
        log_to_stderr();
        let server = HttpServer::new(|| App::new().app_data(build(in_memory())))
            .workers(3)
            .disable_signals()
            .bind(("127.0.0.1", 0))
            .expect("a port");
        let address = server.addrs()[0];
        let server = server.run();
        let handle = server.handle();
        let server = rt::spawn(server);
        // Connections are accepted once every worker has its application.
        let mut client = TcpStream::connect(address).await.expect("a server");
        let request = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
        client.write_all(request).await.expect("a request");
        assert_eq!(client.read_u8().await.expect("an answer"), b'H');
        handle.stop(false).await;
        let _ = server.await;
        return;
    };
    assert_eq!(log.matches(WARNING).count(), 1, "{log}");
    assert!(log.contains("WARN"), "{log}");
    assert!(log.contains("`HttpServer::new`"), "{log}");
}

#[actix_web::test]
async fn limiters_with_functions_are_a_warning() {
    let this = "duplicates::limiters_with_functions_are_a_warning";
    let Some(log) = in_own_process(this) else {
        log_to_stderr();
        let by_user = |_: &HttpRequest| "ann";
        let _both =
            [(); 2].map(|()| build(in_memory().identifier(by_user).headers(HeaderStyle::Ietf)));
        return;
    };
    assert_eq!(log.matches(WARNING).count(), 1, "{log}");
}

#[actix_web::test]
async fn limiters_that_differ_or_are_gone_are_no_warning() {
    let this = "duplicates::limiters_that_differ_or_are_gone_are_no_warning";
    let Some(log) = in_own_process(this) else {
        log_to_stderr();
        in_memory().init().await.expect("the first");
        RateLimiter::close().await;
        drop(build(in_memory()));
        let by_user = |_: &HttpRequest| "ann";
        let by_key = |_: &HttpRequest| "key";
        let _alive = [
            in_memory(),
            in_memory().prefix("other"),
            in_memory().max_keys(10),
            in_memory().ipv6_prefix(56),
            in_memory().headers(HeaderStyle::Ietf),
            in_memory().identifier(Identifier::header("X-Api-Key")),
            in_memory().identifier(by_user),
            in_memory().identifier(by_key),
            in_memory().clock(ManualClock::new()),
            in_memory().clock(ManualClock::new()),
        ]
        .map(build);
        return;
    };
    assert!(log.contains("in-memory store of this process"), "{log}");
    assert!(!log.contains(WARNING), "{log}");
}
