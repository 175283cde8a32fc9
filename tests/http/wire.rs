//! Hostile bytes on a real socket, and a unix socket, whose clients have no addresses.

use std::{env, fs, path::PathBuf, process};

use actix_throttle::rate_limit;
use actix_web::{App, HttpServer, get, rt, rt::net::UnixStream, web::ServiceConfig};

use super::hostile::Hostile;
use harness::http::{
    app::TestApp,
    live::{Live, Wire, status},
};

#[get("/")]
#[rate_limit("5/day")]
async fn by_default() -> &'static str {
    "ok"
}

#[get("/key")]
#[rate_limit("2/day", identifier = header("X-Api-Key"))]
async fn by_key() -> &'static str {
    "ok"
}

fn routes(config: &mut ServiceConfig) {
    config.service((by_default, by_key));
}

/// A request with hostile headers. Some hold bytes that are illegal in a header, and the server
/// itself answers these with 400.
fn request(hostile: &mut Hostile, number: usize) -> Vec<u8> {
    let mut bytes = b"GET / HTTP/1.1\r\nHost: a\r\n".to_vec();
    for name in ["X-Forwarded-For", "Forwarded", "X-Api-Key"] {
        bytes.extend_from_slice(name.as_bytes());
        bytes.extend_from_slice(b": ");
        bytes.extend_from_slice(&hostile.value());
        if number % 10 == 9 {
            bytes.push(u8::try_from(number / 10 % 32).expect("below 32"));
        }
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"\r\n");
    bytes
}

#[actix_web::test]
async fn hostile_headers_on_the_wire_evade_no_limit() {
    let trusting = TestApp::with(|builder| {
        let builder = builder.trusted_proxies(["10.0.0.0/8"]);
        builder.expect("valid")
    });
    let test_app = trusting.await;
    let live = Live::start(&test_app.limiter, 1, routes);
    let mut hostile = Hostile::new(6);
    let mut counts = std::collections::BTreeMap::<u16, usize>::new();
    for number in 0..1_000 {
        let mut wire = live.connect().await;
        wire.send(request(&mut hostile, number)).await;
        *counts.entry(status(&wire.answer().await)).or_default() += 1;
    }
    assert_eq!(counts.get(&200), Some(&5), "{counts:?}");
    assert!(counts[&429] > 500, "{counts:?}");
    let others: Vec<_> = counts.keys().filter(|status| **status >= 500).collect();
    assert!(others.is_empty(), "{counts:?}");
}

/// A free path for a socket. The socket is removed when dropped.
struct Path(PathBuf);

impl Path {
    fn new() -> Self {
        let name = format!("throttle-{}.sock", process::id());
        let path = env::temp_dir().join(name);
        let _ = fs::remove_file(&path);
        Self(path)
    }
}

impl Drop for Path {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

#[actix_web::test]
async fn clients_of_a_unix_socket_are_one_and_nothing_panics() {
    let trusting = TestApp::with(|builder| {
        let builder = builder.trusted_proxies(["0.0.0.0/0", "::/0"]);
        builder.expect("valid")
    });
    let test_app = trusting.await;
    let limiter = test_app.limiter.clone();
    let path = Path::new();
    let factory = move || App::new().app_data(limiter.clone()).configure(routes);
    let server = HttpServer::new(factory)
        .workers(1)
        .disable_signals()
        .bind_uds(&path.0)
        .expect("a socket")
        .run();
    let handle = server.handle();
    rt::spawn(server);

    let send = async |bytes: Vec<u8>| {
        let stream = UnixStream::connect(&path.0).await.expect("a server");
        let mut wire = Wire(stream);
        wire.send(bytes).await;
        status(&wire.answer().await)
    };
    let with = |target: &str, header: &str| {
        format!("GET {target} HTTP/1.1\r\nHost: a\r\n{header}\r\n").into_bytes()
    };
    assert_eq!(send(with("/", "")).await, 200);
    for client in 1..=4 {
        let claim = format!("X-Forwarded-For: 203.0.113.{client}\r\n");
        assert_eq!(send(with("/", &claim)).await, 200, "{claim}");
    }
    assert_eq!(send(with("/", "")).await, 429);
    assert_eq!(send(with("/", "Forwarded: for=1.2.3.4\r\n")).await, 429);

    // Other identities work as usual, and requests without one share a counter.
    assert_eq!(send(with("/key", "X-Api-Key: a\r\n")).await, 200);
    assert_eq!(send(with("/key", "X-Api-Key: b\r\n")).await, 200);
    for status in [200, 200, 429] {
        assert_eq!(send(with("/key", "")).await, status);
    }
    handle.stop(false).await;
}
