//! The findings about a server when a limiter is built.

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    thread,
    time::{Duration, Instant},
};

use actix_throttle::{Limit, RateLimiter, deadpool_redis};

use super::{build, check, for_every_version};
use harness::{Server, ServerVersion, stores::block_on};

/// A fake server that replies `+OK` to every command, and hangs up on this one.
pub(super) fn impostor_that_closes(command: &'static str) -> String {
    impostor_that(move |asked| (asked != command).then(|| "+OK\r\n".into()))
}

/// A fake server that replies to each command with the text that `answer` returns for it.
fn impostor(answer: impl Fn(&str) -> String + Send + 'static) -> String {
    impostor_that(move |asked| Some(answer(asked)))
}

/// A fake server that hangs up on a command for which `answer` returns `None`.
fn impostor_that(answer: impl Fn(&str) -> Option<String> + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("redis://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let lines = BufReader::new(stream.try_clone().unwrap()).lines();
            // Commands are arrays of bulk strings; the name of the command is the second line after
            // `*`.
            let mut until_name = 0;
            for line in lines.map_while(Result::ok) {
                if line.starts_with('*') {
                    until_name = 2;
                } else if until_name > 0 {
                    until_name -= 1;
                    if until_name > 0 {
                        continue;
                    }
                    let said = answer(&line).map(|answer| stream.write_all(answer.as_bytes()));
                    if !matches!(said, Some(Ok(()))) {
                        break;
                    }
                }
            }
        }
    });
    url
}

#[test]
fn credentials_that_are_refused_are_errors_that_say_so() {
    for version in ServerVersion::ALL {
        let server = Server::start_with(version, &["--requirepass", "secret"]);
        assert!(build(server.url()).is_ok());
        let address = format!("127.0.0.1:{}", server.port());
        for url in [
            format!("redis://{address}"),
            format!("redis://:wrong@{address}"),
            format!("redis://nobody:secret@{address}"),
        ] {
            let error = build(url.as_str()).unwrap_err();
            assert!(error.is_credentials(), "{url}: {error}");
            assert!(
                error
                    .to_string()
                    .contains("redis://user:password@host:port")
            );
        }
    }
}

#[test]
fn urls_that_cannot_be_right_are_errors_that_say_so() {
    for url in [
        "",
        "localhost",
        "http://localhost",
        "redis://",
        "redis://h:port",
        "redis://h/db",
    ] {
        let error = build(url).unwrap_err();
        assert!(error.is_settings(), "{url}: {error}");
        assert!(
            error
                .to_string()
                .contains("redis://user:password@host:port/database")
        );
    }
    let server = Server::start(ServerVersion::Redis7);
    let error = build(format!("{}/99", server.url())).unwrap_err();
    assert!(error.is_settings(), "{error}");
}

#[test]
fn server_that_is_not_redis_is_an_error() {
    let error = build(impostor(|_| "HTTP/1.1 400 Bad Request\r\n\r\n".into())).unwrap_err();
    assert!(error.is_server(), "{error}");
}

#[test]
fn a_server_too_old_is_an_error() {
    let old = impostor(|command| match command {
        "INFO" => {
            let info = "# Server\r\nredis_version:5.0.14\r\n";
            format!("${}\r\n{info}\r\n", info.len())
        }
        _ => "+OK\r\n".into(),
    });
    let error = build(old).unwrap_err();
    assert!(error.is_server());
    let text = error.to_string();
    assert!(text.contains("5.0.14") && text.contains("6.2"), "{text}");
}

#[test]
fn a_server_that_cannot_be_reached_right_now_is_no_error() {
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let start = Instant::now();
    let limiter = build(format!("redis://127.0.0.1:{port}")).unwrap();
    let undecided = block_on(limiter.check(&Limit::per_second(1), "ann")).unwrap();
    assert!(undecided.is_fallback());
    assert!(start.elapsed() < Duration::from_secs(10));

    // A server that accepts the connection and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    assert!(build(format!("redis://{}", silent.local_addr().unwrap())).is_ok());
}

#[test]
fn a_limiter_started_before_its_server_works_once_it_is_there() {
    let mut server = Server::start(ServerVersion::Redis7);
    server.kill();
    block_on(async {
        let limiter = super::limiter(&server).await;
        assert!(limiter.check(&Limit::per_minute(1), "ann").await.is_err());
        server.restart();
        let limit = Limit::per_minute(1);
        let back = super::until_decided(&limiter, &limit, Duration::from_secs(4)).await;
        assert!(back.is_allowed());
        assert!(!check(&limiter, &Limit::per_minute(1)).await.is_allowed());
    });
}

#[test]
fn user_with_what_the_guide_lists_suffices() {
    for_every_version(async |server| {
        let guide = include_str!("../../../docs/guide/redis-acl.md");
        let command = guide
            .split("```sh\n")
            .nth(1)
            .expect("a command of the shell");
        let command = command.split("```").next().unwrap_or_default();
        let words: Vec<_> = command
            .split_whitespace()
            .filter(|word| *word != "\\")
            .map(|word| word.trim_matches('\''))
            .skip_while(|word| *word != "ACL")
            .collect();
        let _: String = server.cli(&words);
        let password = words
            .iter()
            .find_map(|word| word.strip_prefix('>'))
            .unwrap();
        let url = format!("redis://throttle:{password}@127.0.0.1:{}", server.port());
        let limiter = RateLimiter::builder()
            .redis_url(url)
            .deadline(Duration::from_secs(5))
            .build()
            .await
            .unwrap();
        let limit = Limit::per_minute(2).block(Duration::from_secs(60));
        for limit in [
            limit,
            limit.algorithm(actix_throttle::Algorithm::FixedWindow),
        ] {
            for _ in 0..4 {
                limiter.check(&limit, "ann").await.unwrap();
            }
            limiter.peek(&limit, "ann").await.unwrap();
            limiter
                .block(&limit, "ann", Duration::from_secs(1))
                .await
                .unwrap();
            limiter.unblock(&limit, "ann").await.unwrap();
            limiter.reset(&limit, "ann").await.unwrap();
        }
        // A refund reads the state and writes it anew.
        for limit in harness::stores::every_algorithm(5, 20) {
            let checks = [(&limit, "bob"), (&limit, "carl")];
            let (_, taken) = limiter.check_with_receipts(&checks).await.unwrap();
            limiter.check(&limit, "carl").await.unwrap();
            limiter.refund_charged(taken).await.unwrap();
        }
        // The log of a short window is trimmed, too.
        let short = Limit::new(1, Duration::from_millis(5));
        for _ in 0..3 {
            while !check(&limiter, &short).await.is_allowed() {}
        }
    });
}

#[test]
fn user_without_permission_is_an_error() {
    let server = Server::start(ServerVersion::Redis7);
    let _: String = server.cli(&["ACL", "SETUSER", "weak", "on", ">pw", "~*", "+get"]);
    let _: String = server.cli(&["ACL", "SETUSER", "other", "on", ">pw", "~other:*", "+@all"]);
    for user in ["weak", "other"] {
        let url = format!("redis://{user}:pw@127.0.0.1:{}", server.port());
        for url in [format!("{url}/3"), url] {
            let error = build(url).unwrap_err();
            assert!(error.is_credentials(), "{user}: {error}");
            assert!(error.to_string().contains("ACL"), "{error}");
        }
    }
}

#[test]
fn pools_of_ones_own_and_valkey_urls_work() {
    for_every_version(async |server| {
        let pool = deadpool_redis::Config::from_url(server.url())
            .create_pool(Some(deadpool_redis::Runtime::Tokio1))
            .unwrap();
        let limiter = RateLimiter::builder().redis(pool).build().await.unwrap();
        assert!(check(&limiter, &Limit::per_minute(1)).await.is_allowed());
        let url = server.url().replacen("redis://", "valkey://", 1);
        let other = RateLimiter::builder().redis_url(url).build().await.unwrap();
        assert!(!check(&other, &Limit::per_minute(1)).await.is_allowed());
    });
}

#[test]
fn unix_sockets_and_database_numbers_work() {
    let folder = std::env::temp_dir().join(format!("throttle-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let socket = folder.join("redis.sock");
    let server = Server::start_with(
        ServerVersion::Redis7,
        &["--unixsocket", socket.to_str().unwrap()],
    );
    let limit = Limit::per_minute(1);
    let over_socket = build(format!("redis+unix://{}?db=3", socket.display())).unwrap();
    let over_tcp = build(format!("{}/3", server.url())).unwrap();
    let elsewhere = build(server.url()).unwrap();
    block_on(async {
        assert!(check(&over_socket, &limit).await.is_allowed());
        assert!(!check(&over_tcp, &limit).await.is_allowed());
        assert!(check(&elsewhere, &limit).await.is_allowed());
    });
    std::fs::remove_dir_all(folder).unwrap();
}
