//! The permissions that a user of Redis needs, and what is said when something is missing.

use harness::{Server, ServerVersion};
use serde_json::json;

use crate::{command, redis, throttle};

/// The guide's chapter, in which the permissions stand.
const CHAPTER: &str = include_str!("../../docs/guide/command-line.md");

/// The arguments of `ACL SETUSER` in the chapter.
fn documented() -> Vec<String> {
    let line = CHAPTER
        .lines()
        .skip_while(|line| !line.contains("ACL SETUSER"));
    let mut text = String::new();
    for line in line {
        text.push_str(line.trim_end_matches('\\'));
        if !line.ends_with('\\') {
            break;
        }
    }
    let words = text.split_whitespace().skip(1);
    words
        .map(|word| word.trim_matches('\'').to_owned())
        .collect()
}

#[test]
fn documented_permissions_are_enough() {
    for version in ServerVersion::ALL {
        let server = Server::start(version);
        let words = documented();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        assert_eq!(words[..2], ["ACL", "SETUSER"]);
        let _: String = server.cli(&words);
        let port = server.port();
        let url = format!("redis://{}:secret@127.0.0.1:{port}", words[2]);
        redis(&url, &["block", "ann", "--for", "1h", "--zone", "z"]).status(0);
        for key in ["l60", "p"] {
            let key = format!("throttle:{{user=ann}}:z:{key}");
            let _: i64 = if key.ends_with(":p") {
                server.cli(&["ZADD", &key, "9000000000000000", "x"])
            } else {
                server.cli(&["RPUSH", &key, "1234567890", "1234567890"])
            };
        }
        let said = redis(&url, &["list", "--json"]).status(0);
        let entries = said.entries();
        assert_eq!(entries.len(), 3, "{entries:?}");
        assert!(
            entries
                .iter()
                .all(|entry| entry["unreadable"] != json!(true))
        );
        redis(&url, &["top"]).status(0);
        redis(&url, &["show", "ann"]).status(0);
        redis(&url, &["unblock", "ann", "--yes"]).status(0);
        redis(&url, &["reset", "ann", "--yes", "--permits"]).status(0);
        redis(&url, &["show", "ann"]).status(1);
        redis(&url, &["block", "ann", "--for", "1h", "--zone", "z"]).status(0);
        redis(&url, &["reset", "--all", "--yes"]).status(0);
    }
}

#[test]
fn missing_permission_is_named_with_advice() {
    let server = Server::start(ServerVersion::Redis7);
    let _: String = server.cli(&["ACL", "SETUSER", "small", "on", ">secret", "~*", "+get"]);
    let url = format!("redis://small:secret@127.0.0.1:{}", server.port());
    let said = redis(&url, &["list"]).status(2);
    assert!(
        said.err.contains("scan") && said.err.contains("command line"),
        "{said:?}"
    );
    let url = format!("redis://small:wrong@127.0.0.1:{}", server.port());
    let said = redis(&url, &["list"]).status(2);
    assert!(!said.err.contains("wrong"), "{said:?}");
}

#[test]
fn password_comes_from_the_environment() {
    let server = Server::start_with(ServerVersion::Redis7, &["--requirepass", "hunter2"]);
    let bare = format!("redis://127.0.0.1:{}", server.port());
    let said = redis(&bare, &["list"]).status(2);
    assert!(said.err.contains("user:password"), "{said:?}");
    let said = command(&["redis", "list", "--json"])
        .env("REDIS_URL", server.url())
        .output()
        .unwrap();
    assert!(said.status.success(), "{said:?}");
    let help = command(&["redis", "--help"])
        .env("REDIS_URL", server.url())
        .output()
        .unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    assert!(!help.contains("hunter2"), "{help}");
}

#[test]
fn server_that_is_not_there_is_an_error() {
    let mut server = Server::start(ServerVersion::Redis7);
    let url = server.url();
    // The second URL counts if the first one cannot be reached.
    let other = Server::start(ServerVersion::Redis7);
    server.kill();
    let said = redis(&url, &["list"]).status(2);
    assert!(said.err.contains("cannot connect to 127.0.0.1"), "{said:?}");
    let both = ["redis", "--url", &url, "--url", &other.url(), "list"];
    throttle(&both).status(0);
}

#[test]
fn server_that_does_not_reply_is_an_error_in_time() {
    let server = Server::start(ServerVersion::Redis7);
    server.stop();
    let began = std::time::Instant::now();
    redis(&server.url(), &["list", "--timeout", "300ms"]).status(2);
    assert!(began.elapsed() < std::time::Duration::from_secs(10));
    server.resume();
}

#[test]
fn unix_socket_and_database_are_taken_from_the_url() {
    let server = Server::start_on_socket(ServerVersion::Redis7);
    let url = format!("redis+unix://{}?db=3", server.socket().display());
    redis(&url, &["block", "ann", "--for", "1h", "--zone", "z"]).status(0);
    redis(&format!("{}/3", server.url()), &["show", "ann"]).status(0);
    redis(&server.url(), &["show", "ann"]).status(1);
}
