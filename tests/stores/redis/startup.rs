//! Servers and addresses that the start-up check has to tell apart.

use std::{
    io::{Read, Write},
    net::{TcpStream, ToSocketAddrs},
    time::Duration,
};

use actix_throttle::{FailureMode, Limit, RateLimiter, deadpool_redis};

use super::{build, check, for_every_version, setup::impostor_that_closes};
use harness::{Sentinels, Server, ServerVersion, stores::block_on};

const LIMIT: Limit = Limit::per_minute(1_000);

/// Opens connections until the server keeps refusing them. It retries for a while, because the
/// server may not have noticed yet that earlier connections were closed.
pub(super) fn occupy(server: &Server) -> Vec<TcpStream> {
    const REFUSALS: u32 = 20;
    let mut taken = Vec::new();
    let mut refusals = 0;
    loop {
        let mut stream = TcpStream::connect(("127.0.0.1", server.port())).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(5)))
            .unwrap();
        let mut answer = [0; 64];
        // A refusal may be gone with the connection before it is read.
        let sent = stream.write_all(b"PING\r\n");
        let length = sent.and_then(|()| stream.read(&mut answer));
        if length.is_ok_and(|length| !answer[..length].starts_with(b"-ERR max")) {
            taken.push(stream);
            refusals = 0;
            continue;
        }
        refusals += 1;
        if refusals == REFUSALS {
            return taken;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn server_without_info_is_counted_on() {
    for version in ServerVersion::ALL {
        let server = Server::start_with(version, &["--rename-command", "INFO", ""]);
        let limiter = build(server.url()).unwrap();
        assert!(!block_on(check(&limiter, &LIMIT)).is_fallback());
    }
}

#[test]
fn proxy_that_hangs_up_on_info_is_no_error() {
    assert!(build(impostor_that_closes("INFO")).is_ok());
}

#[test]
fn user_without_info_permission_is_accepted() {
    for_every_version(async |server| {
        let _: String = server.cli(&["ACL", "SETUSER", "ann", "on", ">pw", "~*", "+@all", "-info"]);
        let url = format!("redis://ann:pw@127.0.0.1:{}", server.port());
        let limiter = RateLimiter::builder().redis_url(url).build().await.unwrap();
        assert!(!check(&limiter, &LIMIT).await.is_fallback());
    });
}

#[test]
fn sentinel_url_as_server_is_an_error_naming_the_pool() {
    let sentinels = Sentinels::start(ServerVersion::Redis7);
    let error = build(sentinels.urls().remove(0)).unwrap_err();
    assert!(error.is_settings(), "{error}");
    assert!(error.to_string().contains("sentinel::Pool"), "{error}");
}

#[test]
fn unknown_host_is_an_error_that_names_it() {
    const HOST: &str = "no-such-host.invalid";
    let found = (HOST, 6379).to_socket_addrs().map(|_| ());
    // A machine whose resolver cannot be reached learns nothing about the name.
    let is_sure = found.unwrap_err().to_string().contains("not known");
    let outcome = build(format!("redis://ann:secret@{HOST}"));
    assert_eq!(outcome.is_err(), is_sure);
    let pool = deadpool_redis::Config::from_url(format!("redis://{HOST}"))
        .create_pool(Some(deadpool_redis::Runtime::Tokio1))
        .unwrap();
    let of_a_pool = block_on(RateLimiter::builder().redis(pool).build());
    assert_eq!(of_a_pool.is_err(), is_sure);
    if let Err(error) = outcome {
        let text = error.to_string();
        assert!(error.is_settings(), "{text}");
        assert!(text.contains(HOST) && !text.contains("secret"), "{text}");
    }
}

/// A full server gives the same refusal in reply to a password, and the password may be right.
#[test]
fn server_that_is_full_is_no_error() {
    for version in ServerVersion::ALL {
        for password in [&[][..], &["--requirepass", "secret"]] {
            let arguments = [&["--maxclients", "12"], password].concat();
            let server = Server::start_with(version, &arguments);
            let taken = occupy(&server);
            let limiter = build(server.url()).unwrap();
            assert!(block_on(check(&limiter, &LIMIT)).is_fallback());
            drop(taken);
        }
    }
}

#[test]
fn connection_that_a_full_server_refuses_says_so() {
    for version in ServerVersion::ALL {
        let server = Server::start_with(version, &["--maxclients", "12"]);
        let limiter = block_on(
            RateLimiter::builder()
                .redis_url(server.url())
                .deadline(Duration::from_secs(5))
                .failure_mode(FailureMode::Closed)
                .build(),
        )
        .unwrap();
        let taken = occupy(&server);
        // Each runtime connects for itself, as a worker does.
        let error = block_on(limiter.check(&LIMIT, "ann")).unwrap_err();
        assert!(error.to_string().contains("`maxclients`"), "{error}");
        drop(taken);
    }
}
