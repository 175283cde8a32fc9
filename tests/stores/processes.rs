//! Several processes that share a Redis admit together exactly what one limit allows.

use std::time::Duration;

use harness::{Process, Server, ServerVersion, shared, stores::unique};

const PROCESSES: usize = 3;
const MILLIS: u64 = 1500;
const DAY: u64 = 24 * 60 * 60 * 1_000_000;

/// The time of the server's clock in microseconds.
fn time(server: &Server) -> u64 {
    let (seconds, micros): (u64, u64) = server.cli(&["TIME"]);
    seconds * 1_000_000 + micros
}

struct Run {
    admitted: u64,
    /// The longest possible duration of the run in microseconds, from before the first request to
    /// after the last.
    took: u64,
    /// Whether the run went over midnight.
    over_midnight: bool,
}

fn load_clients(version: ServerVersion, limits: &str) -> Run {
    let server = shared(version);
    let (url, prefix, millis) = (server.url(), unique("load"), MILLIS.to_string());
    let environment = [
        ("REDIS_URL", url.as_str()),
        ("PREFIX", &prefix),
        ("MILLIS", &millis),
        ("LIMITS", limits),
    ];
    let before = time(server);
    let processes =
        Process::start_copies(PROCESSES, env!("CARGO_BIN_EXE_load_client"), &environment);
    let admitted = processes.into_iter().map(|process| {
        let said = process.finish(Duration::from_secs(60));
        let admitted = said.split(' ').next().unwrap();
        admitted.parse::<u64>().unwrap()
    });
    let admitted = admitted.sum();
    let after = time(server);
    Run {
        admitted,
        took: after - before,
        over_midnight: before / DAY != after / DAY,
    }
}

fn exactly(expected: u64, limits: &str) {
    for version in ServerVersion::ALL {
        let mut run = load_clients(version, limits);
        if run.over_midnight {
            run = load_clients(version, limits);
        }
        assert_eq!(run.admitted, expected, "{limits} on {}", version.name());
    }
}

#[test]
fn sliding_window_is_exact() {
    exactly(3000, "sliding_window/3000/60000/0");
}

#[test]
fn sliding_window_counter_is_exact() {
    // A window of a day, so that none begins during the test except at midnight.
    exactly(3000, "sliding_window_counter/3000/86400000/0");
}

#[test]
fn fixed_window_is_exact() {
    exactly(3000, "fixed_window/3000/60000/0");
}

#[test]
fn buckets_hold_exactly_their_capacity() {
    exactly(3000, "token_bucket/1/86400000/3000");
    exactly(3000, "interval/1000/86400000/3000");
    exactly(1, "leaky_bucket/1/86400000/0");
}

#[test]
fn stacked_limits_are_exact() {
    exactly(
        1000,
        "sliding_window/2000/60000/0 fixed_window/1000/60000/0",
    );
    exactly(
        1000,
        "fixed_window/1000/60000/0 token_bucket/1/86400000/2000 sliding_window/3000/60000/0",
    );
}

#[test]
fn buckets_gain_exactly_what_time_gives() {
    // The first limit admits 1000 at once and 2000 a second, the second one every 5 ms.
    for (limits, capacity, per_second) in [
        ("token_bucket/2000/1000/1000", 1000, 2000),
        ("leaky_bucket/200/1000/0", 1, 200),
    ] {
        let run = load_clients(ServerVersion::Redis7, limits);
        let most = capacity + run.took * per_second / 1_000_000;
        assert!(run.admitted <= most, "{limits}: {} of {most}", run.admitted);
        // The processes ran at least this long; half of it allows for a machine that stalls.
        let least = capacity + (MILLIS / 2) * per_second / 1000;
        assert!(
            run.admitted >= least,
            "{limits}: {} of {least}",
            run.admitted
        );
    }
}
