//! Tests of the program against real servers, with counters that the library has written.
#![allow(clippy::panic, clippy::unwrap_used, reason = "tests")]

mod bulk;
mod changes;
mod cluster;
mod files;
mod identities;
mod offences;
mod permissions;
mod program;
mod sentinel;
mod single;
mod tls;

use std::{
    process::{Command, Output, Stdio},
    time::Duration,
};

use actix_throttle::{Builder, FailureMode, RateLimiter};
use harness::{Server, ServerVersion, stores::block_on};
use serde_json::Value;

/// The output of the program, and its exit status.
#[derive(Debug)]
struct Said {
    status: i32,
    out: String,
    err: String,
}

impl Said {
    fn of(output: Output) -> Self {
        Self {
            status: output.status.code().expect("it was not killed"),
            out: String::from_utf8(output.stdout).expect("UTF-8"),
            err: String::from_utf8(output.stderr).expect("UTF-8"),
        }
    }

    /// Expects this exit status.
    #[track_caller]
    fn status(self, expected: i32) -> Self {
        assert_eq!(self.status, expected, "{self:?}");
        self
    }

    #[track_caller]
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    #[track_caller]
    fn entries(&self) -> Vec<Value> {
        self.json()["entries"].as_array().expect("a list").clone()
    }
}

fn for_every_version(test: impl AsyncFn(Server)) {
    for version in ServerVersion::ALL {
        block_on(test(Server::start(version)));
    }
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_throttle"));
    command
        .args(arguments)
        .env_remove("REDIS_URL")
        .env_remove("REDIS_MASTER_URL")
        .env_remove("SSL_CERT_FILE")
        // Nobody is at the terminal of a test.
        .stdin(Stdio::null());
    command
}

fn throttle(arguments: &[&str]) -> Said {
    Said::of(command(arguments).output().expect("the program starts"))
}

/// Runs `throttle redis --url URL …`.
fn redis(url: &str, arguments: &[&str]) -> Said {
    throttle(&[&["redis", "--url", url], arguments].concat())
}

/// A builder that uses the server's clock, waits for a busy machine and caches no denials.
fn patient() -> Builder {
    RateLimiter::builder()
        .deadline(Duration::from_secs(5))
        .failure_mode(FailureMode::Closed)
        .failure_threshold(u32::MAX)
        .denial_cache(Duration::ZERO)
}

async fn limiter(url: &str) -> RateLimiter {
    patient().redis_url(url).build().await.unwrap()
}
