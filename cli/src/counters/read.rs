//! Reads the values of keys that a scan has found. Which commands read them, and what the replies
//! mean, is in the core.

use actix_throttle_core::{
    key::KeySelection,
    stored::{Command, Reply, StoredReading},
    time::Micros,
};
use redis::{Cmd, Value};

use crate::{error::CliError, server::Node};

/// Reads the entries of the selected ones of these keys. A key that is gone has none.
///
/// # Errors
///
/// If the server does not reply, or the user may not read keys.
pub(super) fn read(
    node: &mut Node,
    prefix: &str,
    selection: &KeySelection,
    keys: &[String],
) -> Result<StoredReading, CliError> {
    let now = time(node)?;
    let keys = keys.iter().map(String::as_str);
    let mut reading = StoredReading::new(keys, prefix, selection, now);
    loop {
        let commands: Vec<Cmd> = reading.commands().iter().map(command).collect();
        if commands.is_empty() {
            return Ok(reading);
        }
        let replies = node.calls(&commands)?;
        node.check_permission(&replies)?;
        reading.feed(replies.into_iter().map(reply));
    }
}

/// The time of the server, in microseconds. It is the time by which the script decides.
///
/// # Errors
///
/// If the server does not reply.
pub(super) fn time(node: &mut Node) -> Result<Micros, CliError> {
    let (seconds, micros): (u64, u64) = node.call(&redis::cmd("TIME"))?;
    Ok(seconds.saturating_mul(1_000_000).saturating_add(micros))
}

fn command(words: &Command) -> Cmd {
    let mut command = Cmd::new();
    command.arg(words);
    command
}

fn reply(value: Value) -> Reply {
    match value {
        Value::Nil => Reply::Nil,
        Value::Int(number) => Reply::Number(number),
        Value::BulkString(raw) => Reply::Bytes(raw),
        Value::Double(number) => Reply::Double(number),
        Value::Array(list) => Reply::List(list.into_iter().map(reply).collect()),
        Value::ServerError(error) if error.code() != "WRONGTYPE" => Reply::Refused,
        _ => Reply::Other,
    }
}
