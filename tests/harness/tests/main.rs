//! Tests of the harness itself, because all other tests rely on it.

mod cluster;
mod proxy;
mod sentinel;
mod states;
mod tls;

use std::{
    io::{Read, Write},
    net::TcpStream,
    thread,
    time::Duration,
};

use harness::{Monitor, Process, Server, ServerVersion};

#[test]
fn every_version_is_the_server_it_says() {
    for version in ServerVersion::ALL {
        let info: String = Server::start(version).cli(&["INFO", "server"]);
        let number = |field: &str| -> Option<(u32, u32)> {
            let version = info
                .lines()
                .find_map(|line| line.strip_prefix(field)?.strip_prefix(':'))?;
            let mut parts = version
                .split('.')
                .map(|part| part.parse().expect("a number"));
            Some((parts.next()?, parts.next()?))
        };
        let (redis, valkey) = (
            number("redis_version").expect("given by all"),
            number("valkey_version"),
        );
        match version {
            ServerVersion::Redis62 => assert_eq!((redis, valkey), ((6, 2), None)),
            ServerVersion::Redis7 => assert!(redis >= (7, 0) && valkey.is_none(), "{info}"),
            ServerVersion::Valkey9 => assert!(valkey >= Some((9, 0)), "{info}"),
        }
    }
}

#[test]
fn a_killed_server_comes_back_empty_on_its_port() {
    let mut server = Server::start(ServerVersion::Redis7);
    let port = server.port();
    server.cli::<()>(&["SET", "k", "v"]);
    server.kill();
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
    server.restart();
    assert_eq!(server.port(), port);
    assert_eq!(server.cli::<Option<String>>(&["GET", "k"]), None);
}

#[test]
fn a_stopped_server_takes_connections_and_answers_when_resumed() {
    let server = Server::start(ServerVersion::Valkey9);
    server.stop();
    let mut stream = TcpStream::connect(("127.0.0.1", server.port())).expect("taken by the kernel");
    stream.write_all(b"PING\r\n").expect("taken by the kernel");
    let mut answer = [0; 7];
    let silent_for = Some(Duration::from_millis(50));
    stream.set_read_timeout(silent_for).expect("not zero");
    assert!(stream.read_exact(&mut answer).is_err());
    server.resume();
    stream
        .set_read_timeout(Some(Duration::from_secs(5)))
        .expect("not zero");
    stream.read_exact(&mut answer).expect("answered late");
    assert_eq!(&answer, b"+PONG\r\n");
}

#[test]
fn no_server_outlives_its_value() {
    let server = Server::start(ServerVersion::Redis62);
    let port = server.port();
    drop(server);
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
}

#[test]
fn a_server_outlives_the_thread_that_started_it() {
    let server = thread::spawn(|| Server::start(ServerVersion::Redis7))
        .join()
        .expect("starts");
    assert_eq!(server.cli::<String>(&["PING"]), "PONG");
}

#[test]
fn a_monitor_tells_clients_from_scripts() {
    const EVAL: [&str; 4] = [
        "EVAL",
        "return redis.call('set', KEYS[1], 'x')",
        "1",
        "a \" \\ b\n",
    ];
    for version in ServerVersion::ALL {
        let server = Server::start_with(version, &["--requirepass", "secret"]);

        let monitor = Monitor::start(&server);
        server.cli::<()>(&EVAL);
        let lines = monitor.finish();
        let from_lua = |line: &String| line.contains(" lua] \"set\"");
        assert!(lines.iter().any(from_lua), "{version:?}: {lines:?}");

        let monitor = Monitor::start(&server);
        server.cli::<()>(&EVAL);
        let mut commands = monitor.commands();
        commands.retain(|command| command[0] != "AUTH");
        assert_eq!(commands, [EVAL], "{version:?}");
    }
}

#[test]
fn copies_get_their_variables_and_hand_back_their_output() {
    let copies = Process::start_copies(3, "env", &[("THROTTLE_TEST_HELLO", "hello")]);
    for copy in copies {
        let output = copy.finish(Duration::from_secs(10));
        assert!(
            output
                .lines()
                .any(|line| line == "THROTTLE_TEST_HELLO=hello"),
            "{output}"
        );
    }
}
