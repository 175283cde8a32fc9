//! Leases: parts of a quota that processes take from a real Redis, and what becomes of them when a
//! process or Redis fails.

mod killed;
mod outage;
mod processes;
mod windows;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use actix_throttle::{Algorithm, Limit, Refill};

use harness::{Process, Server};

/// The identity whose quota is leased.
const ID: &str = "hot";
/// The longest window that a limit can have, so that none ends during a test.
const YEAR: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// Each algorithm that can be leased, so slow that nothing is gained during a test.
fn every_algorithm(times: u32) -> [(&'static str, Limit); 5] {
    let limit = |algorithm| Limit::new(times, YEAR).algorithm(algorithm);
    let bucket = Limit::new(1, YEAR)
        .algorithm(Algorithm::TokenBucket)
        .capacity(times);
    [
        ("sliding_window", limit(Algorithm::SlidingWindow)),
        (
            "sliding_window_counter",
            limit(Algorithm::SlidingWindowCounter),
        ),
        ("fixed_window", limit(Algorithm::FixedWindow)),
        ("token_bucket", bucket),
        ("interval", bucket.refill(Refill::Interval)),
    ]
}

/// The limit in the form that `load_client` reads.
fn written(name: &str, limit: &Limit) -> String {
    let (times, window) = (limit.times(), limit.window().as_millis());
    format!("{name}/{times}/{window}/{}", limit.quota())
}

/// Starts processes of one service that all begin at the same moment, with additional variables.
fn start(
    count: usize,
    server: &Server,
    prefix: &str,
    limits: &str,
    more: &[(&str, &str)],
) -> Vec<Process> {
    let url = server.url();
    // All processes have started by then.
    let start = SystemTime::now() + Duration::from_millis(400);
    let start = start.duration_since(UNIX_EPOCH).unwrap().as_micros();
    let start = start.to_string();
    let mut environment = vec![
        ("REDIS_URL", url.as_str()),
        ("PREFIX", prefix),
        ("LIMITS", limits),
        ("START", &start),
    ];
    environment.extend(more);
    Process::start_copies(count, env!("CARGO_BIN_EXE_load_client"), &environment)
}

/// The number of admitted requests that a process reports.
fn admitted(process: Process) -> u32 {
    let said = process.finish(Duration::from_secs(60));
    let sum = said.lines().last().expect("it says what was admitted");
    sum.split(' ').next().unwrap().parse().unwrap()
}

/// The number of script calls that Redis has received.
fn calls(server: &Server) -> u32 {
    let info: String = server.cli(&["INFO", "commandstats"]);
    let line = info.lines().find(|line| line.contains("cmdstat_evalsha:"));
    let count = line.and_then(|line| line.split("calls=").nth(1)?.split(',').next());
    count.map_or(0, |count| count.parse().unwrap())
}
