//! Parts of a quota that processes take from a real server, and what becomes of them when a process
//! or the server fails.

mod killed;
mod outage;
mod processes;
mod windows;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use actix_throttle::{Algorithm, Limit, Refill};

use harness::{Process, Server};

/// Whose quota it is.
const ID: &str = "hot";
/// As long as a window may be: no test sees the end of one.
const YEAR: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// Every way to count that can be leased, with nothing gained during a test.
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

/// The same limit, as the program knows it.
fn written(name: &str, limit: &Limit) -> String {
    let (times, window) = (limit.times(), limit.window().as_millis());
    format!("{name}/{times}/{window}/{}", limit.quota())
}

/// Processes of one service, which all begin in the same moment, with these variables more.
fn start(
    count: usize,
    server: &Server,
    prefix: &str,
    limits: &str,
    more: &[(&str, &str)],
) -> Vec<Process> {
    let url = server.url();
    // Time for all of them to have started.
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

/// How many requests a process says were admitted.
fn admitted(process: Process) -> u32 {
    let said = process.finish(Duration::from_secs(60));
    let sum = said.lines().last().expect("it says what was admitted");
    sum.split(' ').next().unwrap().parse().unwrap()
}

/// How many script calls the server has seen.
fn calls(server: &Server) -> u32 {
    let info: String = server.cli(&["INFO", "commandstats"]);
    let line = info.lines().find(|line| line.contains("cmdstat_evalsha:"));
    let count = line.and_then(|line| line.split("calls=").nth(1)?.split(',').next());
    count.map_or(0, |count| count.parse().unwrap())
}
