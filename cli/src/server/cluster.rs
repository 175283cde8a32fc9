//! The masters of a cluster.

use redis::Value;

use super::{
    address::{Access, Address},
    node::Node,
};
use crate::error::CliError;

/// Connects to every master of the cluster that this node belongs to.
///
/// # Errors
///
/// If the node does not say which masters there are, or one of them cannot be reached.
pub(super) fn masters(
    access: &Access,
    address: &Address,
    node: &mut Node,
) -> Result<Vec<Node>, CliError> {
    let mut command = redis::cmd("CLUSTER");
    command.arg("SLOTS");
    let slots: Value = node.call(&command)?;
    let mut owners = owners(slots);
    owners.sort();
    owners.dedup();
    if owners.is_empty() {
        return Err(CliError::new(format!(
            "{} names no masters: `CLUSTER SLOTS` is empty",
            node.name()
        )));
    }
    owners
        .iter()
        .map(|(host, port)| Ok(access.open(&address.at(host, *port))?.in_cluster()))
        .collect()
}

/// The master of each range of slots. An empty host stands for the host that was asked.
fn owners(slots: Value) -> Vec<(String, u16)> {
    let Value::Array(ranges) = slots else {
        return Vec::new();
    };
    let owner = |range| {
        let Value::Array(range) = range else {
            return None;
        };
        // A range is its first and last slot, the master, and the replicas.
        let Value::Array(master) = range.into_iter().nth(2)? else {
            return None;
        };
        let mut master = master.into_iter();
        let host: Option<String> = redis::from_redis_value(master.next()?).ok()?;
        let port = redis::from_redis_value(master.next()?).ok()?;
        // Redis writes `?` for a name that it does not know.
        let host = host.filter(|host| host != "?").unwrap_or_default();
        Some((host, port))
    };
    ranges.into_iter().filter_map(owner).collect()
}
