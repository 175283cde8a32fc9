//! The owners of cluster slots that are being migrated, and commands that follow `ASK` to the next
//! owner ([cluster spec]).
//!
//! A cluster client follows `ASK` in two steps: it sends `ASKING`, and after the reply the command.
//! A command that is sent in between on the same connection uses the `ASKING` up, and on a busy
//! connection there always is one. The first command is then redirected back and forth, and each
//! time the client asks all nodes for their slots. So `ASKING` goes right before the command, in
//! one pipeline, wherever the client sends the two.
//!
//! The pipeline must not go to a node that the slot is being migrated to, unless the owner has
//! redirected to it: that node would take the key for new. The client tries any node while the
//! owner cannot be reached, so a command of one key names its node. A command of several keys need
//! not, because such a node refuses it unless it has all of the keys.
//!
//! [cluster spec]: https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/

use std::{collections::HashMap, ops::RangeInclusive, time::Duration};

use foldhash::fast::FixedState;
use parking_lot::Mutex;
use redis::{
    Cmd, RedisError, Value,
    cluster_async::ClusterConnection,
    cluster_routing::{SingleNodeRoutingInfo, Slot},
    from_redis_value,
};
use tokio::time::Instant;

/// The time for which a known owner is trusted. Within this time the slot cannot have been migrated
/// to another node and be on its way back, which would make the known owner the node that imports
/// it.
const TRUSTED: Duration = Duration::from_secs(1);
/// The age from which one caller asks for the owners again while the others use the known ones:
/// stale-while-revalidate, as in RFC 5861.
const RENEWED: Duration = Duration::from_millis(700);

/// A cache of the nodes that own slots.
#[derive(Debug, Default)]
pub(crate) struct Owners(Mutex<Option<Learnt>>);

#[derive(Debug)]
struct Learnt {
    since: Instant,
    is_being_renewed: bool,
    ranges: Vec<Range>,
    /// The owners of slots that were looked up before. A [`Slot`] does not tell its number, so a
    /// lookup searches the ranges.
    found: HashMap<Slot, Option<Owner>, FixedState>,
}

/// A range of slots with one owner.
#[derive(Debug)]
struct Range {
    slots: RangeInclusive<u16>,
    owner: Owner,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Owner {
    host: String,
    port: u16,
}

impl Owners {
    /// The owner of a slot. The outer `None`: the caller must learn the owners first. The inner
    /// `None`: no node with a known address owns the slot.
    pub(crate) fn find(&self, slot: Slot) -> Option<Option<Owner>> {
        let mut learnt = self.0.lock();
        let learnt = learnt
            .as_mut()
            .filter(|learnt| learnt.since.elapsed() < TRUSTED)?;
        if learnt.since.elapsed() >= RENEWED && !learnt.is_being_renewed {
            learnt.is_being_renewed = true;
            return None;
        }
        let Learnt { ranges, found, .. } = learnt;
        let owner = found.entry(slot).or_insert_with(|| {
            let mut ranges = ranges.iter();
            let range = ranges.find(|range| range.holds(slot));
            range.map(|range| range.owner.clone())
        });
        Some(owner.clone())
    }

    /// Learns the owners from a reply to `CLUSTER SLOTS`, unless another caller has done so
    /// meanwhile.
    pub(crate) fn learn(&self, slots: &Value) {
        let mut learnt = self.0.lock();
        let is_new = |learnt: &Learnt| learnt.since.elapsed() < RENEWED;
        if learnt.as_ref().is_some_and(is_new) {
            return;
        }
        let ranges = match slots {
            Value::Array(ranges) => ranges.iter().filter_map(Range::read).collect(),
            _ => Vec::new(),
        };
        *learnt = Some(Learnt {
            since: Instant::now(),
            is_being_renewed: false,
            ranges,
            found: HashMap::default(),
        });
    }
}

impl Owner {
    /// Returns the masters that a reply to `CLUSTER SLOTS` names, each once.
    pub(crate) fn all(slots: &Value) -> Vec<Self> {
        let Value::Array(ranges) = slots else {
            return Vec::new();
        };
        let mut owners: Vec<Self> = Vec::new();
        for range in ranges.iter().filter_map(Range::read) {
            if !owners.contains(&range.owner) {
                owners.push(range.owner);
            }
        }
        owners
    }
}

impl Range {
    fn holds(&self, slot: Slot) -> bool {
        let mut slots = self.slots.clone();
        slots.any(|number| Slot::new(number) == Some(slot))
    }

    /// Reads an entry of `CLUSTER SLOTS`: the first and the last slot, and the nodes, the owner
    /// before its replicas. `None` if the entry is malformed or the owner has no address.
    fn read(range: &Value) -> Option<Self> {
        let Value::Array(range) = range else {
            return None;
        };
        let [Value::Int(first), Value::Int(last), Value::Array(owner), ..] = range.as_slice()
        else {
            return None;
        };
        let [host, Value::Int(port), ..] = owner.as_slice() else {
            return None;
        };
        let host: String = from_redis_value(host.clone()).ok()?;
        // The node does not know its own name or address.
        if host.is_empty() || host == "?" {
            return None;
        }
        let [first, last, port] = [first, last, port].map(|number| u16::try_from(*number).ok());
        Some(Self {
            slots: first?..=last?,
            owner: Owner { host, port: port? },
        })
    }
}

impl From<Owner> for SingleNodeRoutingInfo {
    fn from(owner: Owner) -> Self {
        Self::ByAddress {
            host: owner.host,
            port: owner.port,
        }
    }
}

/// Sends a command to `owner`, with `ASKING` before it.
pub(crate) async fn ask(
    connection: &mut ClusterConnection,
    command: Cmd,
    owner: impl Into<SingleNodeRoutingInfo>,
) -> Result<Value, RedisError> {
    let mut pipeline = redis::pipe();
    pipeline.cmd("ASKING").add_command(command);
    let values = connection.route_pipeline(pipeline, 1, 1, owner.into());
    values.await?.pop().unwrap_or(Value::Nil).extract_error()
}
