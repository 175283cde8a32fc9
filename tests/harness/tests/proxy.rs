//! Tests of the proxy: each mode does to a connection what it says.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

use harness::{Mode, Proxy, Server, ServerVersion, eventually};

const SOON: Duration = Duration::from_secs(5);
const QUIET: Duration = Duration::from_millis(100);

fn connect(proxy: &Proxy) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", proxy.port())).expect("it listens");
    stream.set_read_timeout(Some(SOON)).expect("not zero");
    stream
}

fn send(stream: &mut TcpStream, command: &str) {
    let line = format!("{command}\r\n");
    stream.write_all(line.as_bytes()).expect("it is open");
}

fn receive(stream: &mut TcpStream, bytes: usize) -> String {
    let mut text = vec![0; bytes];
    stream.read_exact(&mut text).expect("it is answered");
    String::from_utf8(text).expect("answers are text")
}

fn assert_silent(stream: &mut TcpStream) {
    stream.set_read_timeout(Some(QUIET)).expect("not zero");
    let error = stream.read(&mut [0]).expect_err("nothing comes");
    assert!(
        error.kind() == std::io::ErrorKind::WouldBlock,
        "cut: {error}"
    );
    stream.set_read_timeout(Some(SOON)).expect("not zero");
}

/// Asserts that the connection ended. The kernel reports an end or a reset.
fn assert_cut(stream: &mut TcpStream) {
    match stream.read(&mut [0]) {
        Ok(0) => {}
        Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => {}
        other => panic!("not cut: {other:?}"),
    }
}

#[test]
fn a_proxy_passes_delays_and_counts() {
    let server = Server::start(ServerVersion::Redis7);
    let proxy = Proxy::start(server.port());
    assert_eq!(proxy.url(), format!("redis://127.0.0.1:{}", proxy.port()));
    let (mut one, mut other) = (connect(&proxy), connect(&proxy));
    for stream in [&mut one, &mut other] {
        send(stream, "PING");
        assert_eq!(receive(stream, 7), "+PONG\r\n");
    }
    assert_eq!((proxy.connections(), proxy.accepted()), (2, 2));
    drop(other);
    eventually("one to be left", SOON, || proxy.connections() == 1);
    assert_eq!(proxy.accepted(), 2);
    assert_eq!(server.clients(), 1);

    proxy.set(Mode::Delay(Duration::from_millis(60)));
    let start = Instant::now();
    send(&mut one, "PING");
    receive(&mut one, 7);
    assert!(start.elapsed() >= Duration::from_millis(120));
}

#[test]
fn swallowed_bytes_never_arrive() {
    let server = Server::start(ServerVersion::Redis7);
    let proxy = Proxy::start(server.port());
    let mut stream = connect(&proxy);
    send(&mut stream, "PING");
    receive(&mut stream, 7);
    proxy.set(Mode::Swallow);
    send(&mut stream, "INCR k");
    assert_silent(&mut stream);
    proxy.set(Mode::Pass);
    send(&mut stream, "PING");
    assert_eq!(receive(&mut stream, 7), "+PONG\r\n");
    assert_eq!(server.cli::<Option<String>>(&["GET", "k"]), None);
}

#[test]
fn one_of_several_connections_is_swallowed() {
    let server = Server::start(ServerVersion::Redis7);
    let proxy = Proxy::start(server.port());
    let mut old = connect(&proxy);
    send(&mut old, "PING");
    receive(&mut old, 7);
    let mut newest = connect(&proxy);
    send(&mut newest, "PING");
    receive(&mut newest, 7);
    proxy.deafen(1);
    let mut next = connect(&proxy);
    send(&mut newest, "INCR k");
    assert_silent(&mut newest);
    for stream in [&mut old, &mut next] {
        send(stream, "PING");
        assert_eq!(receive(stream, 7), "+PONG\r\n");
    }
    proxy.deafen(0);
    send(&mut newest, "PING");
    assert_eq!(receive(&mut newest, 7), "+PONG\r\n");
    assert_eq!(server.cli::<Option<String>>(&["GET", "k"]), None);
}

#[test]
fn a_stalled_reply_comes_later() {
    let server = Server::start(ServerVersion::Redis7);
    let proxy = Proxy::start(server.port());
    let mut stream = connect(&proxy);
    proxy.set(Mode::Stall);
    send(&mut stream, "INCR k");
    assert_silent(&mut stream);
    assert_eq!(server.cli::<String>(&["GET", "k"]), "1");
    proxy.set(Mode::Pass);
    assert_eq!(receive(&mut stream, 4), ":1\r\n");
}

#[test]
fn a_reply_is_cut_once_and_its_request_was_run() {
    let server = Server::start(ServerVersion::Redis7);
    let proxy = Proxy::start(server.port());
    for bytes in [0, 2] {
        let mut stream = connect(&proxy);
        let _: i64 = server.cli(&["DEL", "k"]);
        proxy.set(Mode::CutReply(bytes));
        send(&mut stream, "INCR k");
        assert_eq!(receive(&mut stream, bytes), ":1"[..bytes]);
        assert_cut(&mut stream);
        assert_eq!(server.cli::<String>(&["GET", "k"]), "1");
        let mut next = connect(&proxy);
        send(&mut next, "INCR k");
        assert_eq!(receive(&mut next, 4), ":2\r\n");
    }
}

#[test]
fn a_refusing_proxy_cuts_the_old_and_the_new() {
    let mut server = Server::start(ServerVersion::Redis7);
    let proxy = Proxy::start(server.port());
    let mut stream = connect(&proxy);
    send(&mut stream, "PING");
    receive(&mut stream, 7);
    // A held-back reply must not delay the cut.
    proxy.set(Mode::Stall);
    send(&mut stream, "PING");
    proxy.set(Mode::Refuse);
    assert_cut(&mut stream);
    assert_cut(&mut connect(&proxy));
    assert_eq!((proxy.connections(), proxy.accepted()), (0, 2));
    eventually("the server to notice", SOON, || server.clients() == 0);

    proxy.set(Mode::Pass);
    let mut stream = connect(&proxy);
    send(&mut stream, "PING");
    receive(&mut stream, 7);
    server.kill();
    assert_cut(&mut stream);
    assert_cut(&mut connect(&proxy));

    let port = proxy.port();
    drop(proxy);
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
}

#[test]
fn a_proxy_passes_what_it_held_and_holds_the_rest_together() {
    let server = Server::start(ServerVersion::Redis7);
    let proxy = Proxy::start(server.port());
    let mut stream = connect(&proxy);
    proxy.set(Mode::Stall);
    send(&mut stream, "PING");
    assert_silent(&mut stream);
    proxy.set(Mode::PassOnce);
    assert_eq!(receive(&mut stream, 7), "+PONG\r\n");
    for command in ["PING a", "PING b"] {
        send(&mut stream, command);
        assert_silent(&mut stream);
    }
    proxy.set(Mode::Pass);
    assert_eq!(receive(&mut stream, 14), "$1\r\na\r\n$1\r\nb\r\n");
}
