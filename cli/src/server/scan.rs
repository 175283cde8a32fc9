//! Scans the keys of all servers, in steps and with a bound.

use std::ops::ControlFlow;

use redis::Value;

use super::{connect::Servers, node::Node};
use crate::{error::CliError, output::Progress};

/// The number of keys that a step looks at. Redis serves nothing else during a step; at this size
/// that is a few hundred microseconds.
const STEP: u64 = 1_000;

/// The result of a scan.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ScanSummary {
    /// The approximate number of keys that were looked at, those of other applications included.
    pub(crate) looked_at: u64,
    /// Whether all keys were looked at.
    pub(crate) is_complete: bool,
}

/// Continues the scan, or ends it.
pub(crate) type Scanned = Result<ControlFlow<()>, CliError>;

/// Passes all keys that match the pattern to `each`, some at a time, with the index of the node
/// that holds them and the node itself. A key may come twice. After `max_keys` keys the scan ends.
///
/// # Errors
///
/// If a server does not reply, and the errors of `each`.
pub(crate) fn scan(
    servers: &mut Servers,
    pattern: &str,
    max_keys: u64,
    progress: &Progress,
    mut each: impl FnMut(usize, &mut Node, &[String]) -> Scanned,
) -> Result<ScanSummary, CliError> {
    let mut summary = ScanSummary::default();
    progress.expect(servers.nodes.iter_mut().map(size_of).sum());
    for (index, node) in servers.nodes.iter_mut().enumerate() {
        let mut cursor = "0".to_owned();
        loop {
            if summary.looked_at >= max_keys {
                return Ok(summary);
            }
            let step = STEP.min(max_keys - summary.looked_at);
            let mut command = redis::cmd("SCAN");
            command.arg(&cursor).arg("MATCH").arg(pattern);
            command.arg("COUNT").arg(step);
            let (next, found): (String, Vec<Vec<u8>>) = node.call(&command)?;
            cursor = next;
            summary.looked_at += step;
            progress.advance(step);
            // Keys of this library are ASCII but for their prefix and zone, which are UTF-8.
            let found = found.into_iter().map(String::from_utf8);
            let found: Vec<String> = found.filter_map(Result::ok).collect();
            if !found.is_empty() && each(index, node, &found)?.is_break() {
                return Ok(summary);
            }
            if cursor == "0" {
                break;
            }
        }
    }
    summary.is_complete = true;
    Ok(summary)
}

/// The number of keys of a server; 0 if this user may not ask.
fn size_of(node: &mut Node) -> u64 {
    let reply: Result<Value, _> = node.try_call(&redis::cmd("DBSIZE"));
    match reply {
        Ok(Value::Int(size)) => size.try_into().unwrap_or(0),
        _ => 0,
    }
}
