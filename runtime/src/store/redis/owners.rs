//! Which nodes own slots of a cluster that are being moved.
//!
//! A cluster's client follows `ASK` in two steps: `ASKING`, and when that is answered the command. What
//! it sends in between on the same connection uses the first up, and on a busy connection something
//! always is. So `ASKING` goes right before the command, on the same write, wherever the client sends
//! the two. That must not be a node that the slot is being moved to, unless the owner has pointed to
//! it: it would take the key for new. The client tries any node while the owner cannot be reached, so
//! it is told which one.

use std::{collections::HashMap, time::Duration};

use foldhash::fast::FixedState;
use parking_lot::Mutex;
use redis::{
    Cmd, RedisError, Value,
    cluster_async::ClusterConnection,
    cluster_routing::{SingleNodeRoutingInfo, Slot},
};
use tokio::time::Instant;

/// For so long a slot is taken to be its owner's that was found to be. Moving it there and opening it
/// for a move back takes longer.
const TRUSTED: Duration = Duration::from_secs(1);

/// Of the slots that were asked about of late. There are no more of them than slots.
#[derive(Debug, Default)]
pub(super) struct Owners(Mutex<HashMap<Slot, (Instant, Owner), FixedState>>);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Owner {
    host: String,
    port: u16,
}

impl Owners {
    pub(super) fn find(&self, slot: Slot) -> Option<Owner> {
        let owners = self.0.lock();
        let (since, owner) = owners.get(&slot)?;
        (since.elapsed() < TRUSTED).then(|| owner.clone())
    }

    /// Takes the owner of this slot from a reply to `CLUSTER SLOTS`.
    pub(super) fn learn(&self, slot: Slot, slots: &Value) -> Option<Owner> {
        let owner = owner_of(slot, slots)?;
        let mut owners = self.0.lock();
        owners.retain(|_, (since, _)| since.elapsed() < TRUSTED);
        owners.insert(slot, (Instant::now(), owner.clone()));
        Some(owner)
    }
}

impl Owner {
    /// Sends a command of one key.
    pub(super) async fn ask(
        self,
        connection: &mut ClusterConnection,
        command: Cmd,
    ) -> Result<Value, RedisError> {
        let mut pipeline = redis::pipe();
        pipeline.cmd("ASKING").add_command(command);
        let route = SingleNodeRoutingInfo::ByAddress {
            host: self.host,
            port: self.port,
        };
        let mut values = connection.route_pipeline(pipeline, 1, 1, route).await?;
        values.pop().unwrap_or(Value::Nil).extract_error()
    }
}

/// Ranges of slots, each with its first and last and its nodes, the owner before its replicas.
fn owner_of(slot: Slot, slots: &Value) -> Option<Owner> {
    let Value::Array(ranges) = slots else {
        return None;
    };
    // A slot does not tell its number.
    let is_slot = |number: i64| u16::try_from(number).ok().and_then(Slot::new) == Some(slot);
    let range = ranges.iter().find_map(|range| match range {
        Value::Array(range) => match range.as_slice() {
            [Value::Int(first), Value::Int(last), owner, ..] if (*first..=*last).any(is_slot) => {
                Some(owner)
            }
            _ => None,
        },
        _ => None,
    })?;
    let Value::Array(owner) = range else {
        return None;
    };
    let [host, Value::Int(port), ..] = owner.as_slice() else {
        return None;
    };
    let host: String = redis::from_redis_value(host.clone()).ok()?;
    // A node that does not know its own name or address.
    let is_known = !host.is_empty() && host != "?";
    is_known.then(|| Owner {
        host,
        port: u16::try_from(*port).unwrap_or_default(),
    })
}
