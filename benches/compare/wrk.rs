//! Runs wrk and parses its output.

use std::process::{Command, Stdio};

use serde::Deserialize;

use crate::{
    Result,
    case::{Answer, Case, PATH},
};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/clients.lua");

/// The output of `clients.lua`.
#[derive(Debug, Deserialize)]
pub(crate) struct Run {
    pub(crate) requests: u64,
    pub(crate) micros: u64,
    /// The median latency, in microseconds.
    pub(crate) p50: u64,
    /// Responses with a status above 399.
    status: u64,
    /// Errors of connections, reads and writes, and requests that took longer than two seconds.
    failed: u64,
}

/// Sends requests for this case alone, beginning with client number `first`.
///
/// # Errors
///
/// If a single response is not as the case expects: its figures would mean nothing.
pub(crate) fn run(
    case: &Case,
    port: u16,
    connections: u32,
    seconds: u32,
    first: u64,
) -> Result<Run> {
    let output = Command::new("wrk")
        .args(["--threads", "1", "--timeout", "2s", "--latency"])
        .args(["--connections", &connections.to_string()])
        .args(["--duration", &format!("{seconds}s"), "--script", SCRIPT])
        .arg(format!("http://127.0.0.1:{port}{PATH}"))
        .args(["--", &case.keys.to_string(), &first.to_string()])
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("wrk: {error}; apt-get install wrk"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().rfind(|line| line.starts_with('{'));
    let Some(line) = line else {
        let errors = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{}: wrk found nothing: {text}{errors}", case.id).into());
    };
    let run: Run = serde_json::from_str(line)?;
    let expected = match case.answer {
        Answer::Admitted => 0,
        Answer::Denied => run.requests,
    };
    if run.requests == 0 || run.failed > 0 || run.status != expected {
        return Err(format!(
            "{} at {connections} connections: not every answer was {:?}: {run:?}",
            case.id, case.answer
        )
        .into());
    }
    Ok(run)
}
