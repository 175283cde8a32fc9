//! Which nodes own slots of a cluster that are being moved.
//!
//! A cluster's client follows `ASK` in two steps: `ASKING`, and when that is answered the command.
//! What it sends in between on the same connection uses the first up, and on a busy connection
//! something always is; then it is sent back and forth, and looks for the slots of all nodes each
//! time. So `ASKING` goes right before the command, on the same write, wherever the client sends
//! the two.
//!
//! That must not be a node that the slot is being moved to, unless the owner has pointed to it: it
//! would take the key for new. The client tries any node while the owner cannot be reached, so for
//! a command of one key it is told which one. Commands of several keys do not need that: such a
//! node refuses them unless it has all of the keys.

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

/// For so long a slot is taken to be its owner's that was found to be. Moving it there and opening
/// it for a move back takes longer.
const TRUSTED: Duration = Duration::from_secs(1);
/// After so long one caller asks again, while the others go on with what is known.
const RENEWED: Duration = Duration::from_millis(700);

/// The nodes that owned slots a moment ago.
#[derive(Debug, Default)]
pub(super) struct Owners(Mutex<Option<Learnt>>);

#[derive(Debug)]
struct Learnt {
    since: Instant,
    is_being_renewed: bool,
    ranges: Vec<Range>,
    /// Of slots that were asked about. A slot does not tell its number, so a range is searched for
    /// it.
    found: HashMap<Slot, Option<Owner>, FixedState>,
}

/// Slots that have one owner.
#[derive(Debug)]
struct Range {
    slots: RangeInclusive<u16>,
    owner: Owner,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Owner {
    host: String,
    port: u16,
}

impl Owners {
    /// The outer `None`: this caller has to learn them. The inner one: nobody is known by an
    /// address.
    pub(super) fn find(&self, slot: Slot) -> Option<Option<Owner>> {
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

    /// Learns from a reply to `CLUSTER SLOTS`, unless another caller has meanwhile.
    pub(super) fn learn(&self, slots: &Value) {
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

impl Range {
    fn holds(&self, slot: Slot) -> bool {
        let mut slots = self.slots.clone();
        slots.any(|number| Slot::new(number) == Some(slot))
    }

    /// Its first and last slot and its nodes, the owner before the replicas.
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
        // A node that does not know its own name or address.
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

/// Sends a command to this node, with `ASKING` before it.
pub(super) async fn ask(
    connection: &mut ClusterConnection,
    command: Cmd,
    owner: impl Into<SingleNodeRoutingInfo>,
) -> Result<Value, RedisError> {
    let mut pipeline = redis::pipe();
    pipeline.cmd("ASKING").add_command(command);
    let values = connection.route_pipeline(pipeline, 1, 1, owner.into());
    values.await?.pop().unwrap_or(Value::Nil).extract_error()
}
