//! A password that is rotated while connections are open, with the code of `examples/rotation`.

use std::time::Duration;

use actix_throttle::{FailureMode, Limit, RateLimiter, deadpool_redis::redis::BasicAuth};
use tokio::sync::watch;

use super::{build, for_every_version, until_decided};
use harness::{Server, stores::until};

#[path = "../../../examples/rotation/credentials.rs"]
mod example;

const LIMIT: Limit = Limit::per_minute(1_000);
const BACK: Duration = Duration::from_secs(4);

fn set(server: &Server, rule: &str) {
    let _: String = server.cli(&["ACL", "SETUSER", "ann", "on", "~*", "+@all", rule]);
}

fn authentications(server: &Server) -> u32 {
    let info: String = server.cli(&["INFO", "commandstats"]);
    let calls = info
        .lines()
        .find_map(|line| line.strip_prefix("cmdstat_auth:calls="));
    let calls = calls.and_then(|calls| calls.split(',').next());
    calls.map_or(0, |calls| calls.parse().unwrap())
}

async fn limiter(builder: actix_throttle::Builder) -> RateLimiter {
    builder
        .deadline(Duration::from_secs(5))
        .failure_mode(FailureMode::Closed)
        .failure_threshold(u32::MAX)
        .build()
        .await
        .unwrap()
}

#[test]
fn password_that_is_rotated_needs_no_restart() {
    for_every_version(async |server| {
        set(&server, ">one");
        let (changes, now) = watch::channel(BasicAuth::new("ann".into(), "one".into()));
        let pool = example::pool(&server.url(), example::Credentials(now)).unwrap();
        let rotating = limiter(RateLimiter::builder().redis(pool)).await;
        let url = format!("redis://ann:one@127.0.0.1:{}", server.port());
        let fixed = limiter(RateLimiter::builder().redis_url(url)).await;
        rotating.check(&LIMIT, "ann").await.unwrap();
        fixed.check(&LIMIT, "ann").await.unwrap();

        set(&server, ">two");
        let before = authentications(&server);
        changes
            .send(BasicAuth::new("ann".into(), "two".into()))
            .unwrap();
        until("connections authenticate again", async || {
            authentications(&server) > before
        })
        .await;
        set(&server, "<one");
        // Open connections stay authenticated.
        rotating.check(&LIMIT, "ann").await.unwrap();
        fixed.check(&LIMIT, "ann").await.unwrap();

        // New connections authenticate with the current password.
        let _: i64 = server.cli(&["CLIENT", "KILL", "TYPE", "normal"]);
        assert!(until_decided(&rotating, &LIMIT, BACK).await.is_allowed());
        assert!(fixed.check(&LIMIT, "ann").await.is_err());
    });
}

#[test]
fn old_password_is_an_error_at_a_start_after_the_change() {
    let server = Server::start(harness::ServerVersion::Redis7);
    set(&server, ">two");
    let url = format!("redis://ann:one@127.0.0.1:{}", server.port());
    assert!(build(url).unwrap_err().is_credentials());
}
