//! Tests of server states: replica, busy, loading, out of memory; and of bounded waiting.

use std::{os::unix::net::UnixStream, time::Duration};

use redis::Value;

use harness::{Server, ServerVersion, eventually, eventually_async};

const SOON: Duration = Duration::from_secs(10);

fn refusal(server: &Server, command: &[&str]) -> String {
    let error = server.try_cli::<Value>(command).expect_err("it is refused");
    error.code().expect("the server gives one").to_owned()
}

#[test]
fn a_replica_has_its_masters_keys_and_refuses_writes() {
    for version in ServerVersion::ALL {
        let master = Server::start_with(version, &["--requirepass", "secret"]);
        let _: String = master.cli(&["SET", "k", "v"]);
        let replica = Server::replica_of(&master);
        assert_eq!(replica.version(), version);
        assert_eq!(replica.cli::<String>(&["GET", "k"]), "v");
        assert_eq!(refusal(&replica, &["SET", "k", "w"]), "READONLY");
        assert_eq!(master.clients(), 0);
    }
}

#[test]
fn a_busy_server_says_so_until_it_is_not() {
    for version in ServerVersion::ALL {
        let server = Server::start(version);
        let busy = server.busy();
        assert_eq!(refusal(&server, &["SET", "k", "v"]), "BUSY");
        drop(busy);
        let _: String = server.cli(&["SET", "k", "v"]);
    }
}

#[test]
fn a_loading_server_says_so_until_it_has_what_it_had() {
    for version in ServerVersion::ALL {
        let mut server = Server::start(version);
        let _: String = server.cli(&["SET", "k", "v"]);
        server.restart_loading(Duration::from_secs(1));
        assert_eq!(refusal(&server, &["GET", "k"]), "LOADING");
        server.await_loaded(SOON);
        assert_eq!(server.cli::<String>(&["GET", "k"]), "v");
        server.restart();
        assert_eq!(server.cli::<i64>(&["DBSIZE"]), 0);
    }
}

#[test]
fn a_full_server_refuses_what_would_take_memory() {
    for version in ServerVersion::ALL {
        let server = Server::start(version);
        server.limit_memory(1);
        assert_eq!(refusal(&server, &["SET", "k", "v"]), "OOM");
        server.limit_memory(0);
        let _: String = server.cli(&["SET", "k", "v"]);
        let used = server.info("used_memory").expect("every server tells");
        assert!(used.parse::<u64>().expect("a number") > 1);
    }
}

#[test]
fn a_socket_is_there_as_long_as_its_server() {
    for version in ServerVersion::ALL {
        let mut server = Server::start_on_socket(version);
        let socket = server.socket();
        assert!(UnixStream::connect(&socket).is_ok());
        server.restart();
        assert!(UnixStream::connect(&socket).is_ok());
        drop(server);
        assert!(!socket.exists());
    }
}

#[test]
fn a_server_is_up_unless_it_was_killed_or_stopped() {
    let mut server = Server::start(ServerVersion::Redis7);
    assert!(server.is_up());
    server.stop();
    assert!(!server.is_up());
    server.resume();
    assert!(server.is_up());
    server.kill();
    assert!(!server.is_up());
}

#[test]
#[should_panic(expected = "still not after 30ms: a miracle")]
fn nothing_is_waited_for_for_ever() {
    eventually("a miracle", Duration::from_millis(30), || false);
}

#[tokio::test]
async fn waiting_lets_others_work() {
    let (sender, mut receiver) = tokio::sync::oneshot::channel();
    tokio::spawn(async move { sender.send(()) });
    let received = async || receiver.try_recv().is_ok();
    eventually_async("the other task", SOON, received).await;
}
