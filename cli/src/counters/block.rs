//! `throttle redis block`: denies an identity everything for a time, as `RateLimiter::block` does.

use std::collections::BTreeSet;

use actix_throttle_core::{
    decide::Block,
    key::{block_marker_text, block_text},
    stored::StoredBlock,
    time::{Micros, to_micros},
};
use redis::Value;
use serde_json::json;

use super::{
    find::{Found, find},
    read::time,
    scan::Scan,
};
use crate::{
    arguments::BlockArguments,
    error::{Answer, CliError},
    output::{duration, printable, write_json, write_line},
    server::{Node, Servers},
};

/// Blocks an identity in the zones of the arguments, else in each zone in which it has counters.
///
/// # Errors
///
/// If a server does not reply, or does not set a block.
pub(super) fn block(
    scan: &mut Scan<'_>,
    arguments: &BlockArguments,
    is_json: bool,
) -> Result<Answer, CliError> {
    let found = find(scan, &arguments.id)?;
    let zones = zones(&found, arguments);
    if zones.is_empty() {
        if is_json {
            write_json(&json!({ "identity": found.identity, "blocked": [] }))?;
        }
        let identity = printable(&found.identity);
        eprintln!(
            "nothing is counted for `{identity}`, so no zone is known to block it in: name one by \
             `--zone`"
        );
        return Ok(Answer::No);
    }
    let length = to_micros(arguments.length);
    let prefix = &scan.arguments.prefix;
    let mut blocked = Vec::new();
    for (identity, zone) in &zones {
        for shadow in [false, true] {
            if shadow && !arguments.shadow {
                continue;
            }
            let key = block_text(prefix, identity, zone, shadow);
            mark(scan.servers, prefix, length)?;
            set(scan.servers, &key, length)?;
            blocked.push(json!({ "key": key, "zone": zone, "shadow": shadow }));
        }
        if !is_json {
            let (length, zone) = (duration(length), printable(zone));
            write_line(&format!(
                "blocked {} in {zone} for {length}",
                printable(identity)
            ))?;
        }
    }
    if is_json {
        let for_ms = length.div_ceil(1_000);
        let identity = &found.identity;
        write_json(&json!({ "identity": identity, "blocked": blocked, "for_ms": for_ms }))?;
    }
    Ok(Answer::Yes)
}

/// The zones to block in, with the identity as the keys there have it.
fn zones(found: &Found, arguments: &BlockArguments) -> BTreeSet<(String, String)> {
    let identities: BTreeSet<&String> = found
        .entries
        .iter()
        .map(|located| &located.entry.identity)
        .collect();
    if arguments.zone.is_empty() {
        let entries = found.entries.iter().map(|located| &located.entry);
        return entries
            .map(|entry| (entry.identity.clone(), entry.zone.clone()))
            .collect();
    }
    let identities = if identities.is_empty() {
        BTreeSet::from([&found.identity])
    } else {
        identities
    };
    let zones = arguments.zone.iter();
    zones
        .flat_map(|zone| {
            let identities = identities.iter();
            identities.map(|identity| ((*identity).clone(), zone.clone()))
        })
        .collect()
}

/// Sets the marker without which services read for no block, unless one is there that lasts longer.
/// It comes before the block, which then is in force as soon as it is there. A cluster has none.
fn mark(servers: &mut Servers, prefix: &str, length: Micros) -> Result<(), CliError> {
    let [node] = servers.nodes.as_mut_slice() else {
        return Ok(());
    };
    let key = block_marker_text(prefix);
    let block = StoredBlock(Block::keep_offences(None, time(node)?, length));
    let mut read = redis::cmd("GET");
    read.arg(&key);
    let found = node.calls(&[read])?.into_iter().next();
    if matches!(&found, Some(Value::BulkString(marker)) if block.is_covered_by(marker)) {
        return Ok(());
    }
    let mut command = redis::cmd("SET");
    command.arg(&key).arg(block.encode_marker());
    command.arg("PX").arg(block.marker_expiry_millis());
    match node.calls(&[command])?.into_iter().next() {
        Some(Value::ServerError(error)) if error.code() != "MOVED" => {
            Err(not_set(&key, &format!("{}: {error}", node.name())))
        }
        _ => Ok(()),
    }
}

/// Sets a block on the server that has the key's slot. If the slot is on its way, the block goes to
/// where the library looks for it: to the owner if the key is there, else to the next owner.
fn set(servers: &mut Servers, key: &str, length: Micros) -> Result<(), CliError> {
    let mut refusal = String::new();
    for send in [Node::calls_as_owner, Node::calls] {
        for node in &mut servers.nodes {
            // The time is that of the server that keeps the block.
            let now = time(node)?;
            let read = redis::cmd("GET").arg(key).to_owned();
            let known = known(send(node, &[read])?);
            let block = StoredBlock(Block::keep_offences(known, now, length));
            let mut command = redis::cmd("SET");
            command.arg(key).arg(block.encode());
            command.arg("PX").arg(block.expiry_millis());
            let reply = send(node, &[command])?.into_iter().next();
            let Some(Value::ServerError(error)) = reply else {
                return Ok(());
            };
            refusal = format!("{}: {error}", node.name());
            if !matches!(error.code(), "MOVED" | "ASK") {
                return Err(not_set(key, &refusal));
            }
        }
    }
    Err(not_set(key, &refusal))
}

/// Reads the block that is there, for the offences that it remembers.
fn known(replies: Vec<Value>) -> Option<Block> {
    match replies.into_iter().next()? {
        Value::BulkString(raw) => StoredBlock::decode(&raw).map(|StoredBlock(block)| block),
        _ => None,
    }
}

fn not_set(key: &str, refusal: &str) -> CliError {
    CliError::new(format!("{} was not set: {refusal}", printable(key)))
}
