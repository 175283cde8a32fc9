//! One connection of any kind.

use std::task::{Context, Poll, Waker};

#[cfg(feature = "cluster")]
use std::sync::Arc;

#[cfg(feature = "cluster")]
use redis::{
    Arg, ErrorKind, ServerErrorKind,
    cluster_async::ClusterConnection,
    cluster_routing::{Route, RoutingInfo, SingleNodeRoutingInfo, Slot, SlotAddr},
};
use redis::{
    Cmd, Pipeline, RedisError, RedisFuture, Value,
    aio::{ConnectionLike, MultiplexedConnection},
};

#[cfg(feature = "cluster")]
use super::{
    migration::Pace,
    owners::{Owners, ask},
};

/// A cheap handle: clones share what lies below.
#[derive(Clone)]
pub(super) enum Connection {
    /// To one server, whoever found it.
    One(MultiplexedConnection),
    #[cfg(feature = "cluster")]
    Cluster(ToCluster),
}

/// To every node of a cluster.
#[cfg(feature = "cluster")]
#[derive(Clone)]
pub(super) struct ToCluster {
    connection: ClusterConnection,
    /// The key of the latest command of this handle. It says whom an answer was expected from.
    asked: Option<Vec<u8>>,
    owners: Arc<Owners>,
    pace: Arc<Pace>,
}

impl From<MultiplexedConnection> for Connection {
    fn from(connection: MultiplexedConnection) -> Self {
        Self::One(connection)
    }
}

#[cfg(feature = "cluster")]
impl From<ClusterConnection> for Connection {
    fn from(connection: ClusterConnection) -> Self {
        Self::Cluster(ToCluster {
            connection,
            asked: None,
            owners: Arc::default(),
            pace: Arc::default(),
        })
    }
}

impl Connection {
    pub(super) fn is_cluster(&self) -> bool {
        match self {
            Self::One(_) => false,
            #[cfg(feature = "cluster")]
            Self::Cluster(_) => true,
        }
    }

    /// Whether the other end has closed the connection. Nothing is sent for it.
    ///
    /// The client hands a command to the task that drives the connection, which ends when the
    /// connection does; then the channel to it says so at once. A command whose caller has left by
    /// the time that the task sees it is not sent. Nothing else tells of a close in time: the
    /// client's push messages do, but only to pools that were set up for them. A cluster's client
    /// looks after its connections itself.
    pub(super) fn is_closed(&self) -> bool {
        let mut handle = match self {
            Self::One(connection) => connection.clone(),
            #[cfg(feature = "cluster")]
            Self::Cluster(_) => return false,
        };
        let command = redis::cmd("PING");
        let mut unsent = handle.req_packed_command(&command);
        let polled = unsent
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()));
        matches!(polled, Poll::Ready(Err(error)) if error.is_connection_dropped())
    }

    /// Asks for a sign of life; in a cluster, of every master.
    pub(super) async fn ping(&mut self) -> Result<(), RedisError> {
        redis::cmd("PING").query_async(self).await
    }

    /// What `INFO server` says; in a cluster, of any one node.
    pub(super) async fn info(&mut self) -> Result<String, RedisError> {
        let mut command = redis::cmd("INFO");
        command.arg("server");
        match self {
            Self::One(connection) => command.query_async(connection).await,
            #[cfg(feature = "cluster")]
            Self::Cluster(to) => command.query_async(&mut AnyNode(&mut to.connection)).await,
        }
    }

    /// Sends a command about this one key to the node that owns its slot, and if that gives the
    /// slot away and has not got the key, to the next owner.
    #[cfg(feature = "cluster")]
    pub(super) async fn ask(&mut self, key: &str, command: Cmd) -> Result<Value, RedisError> {
        let Self::Cluster(to) = self else {
            return command.query_async(self).await;
        };
        let slot = Slot::for_key(key);
        let mut owner = to.owners.find(slot);
        if owner.is_none() {
            let mut slots = redis::cmd("CLUSTER");
            slots.arg("SLOTS");
            let slots = slots.query_async(&mut AnyNode(&mut to.connection)).await?;
            to.owners.learn(&slots);
            owner = to.owners.find(slot);
        }
        let Some(owner) = owner.flatten() else {
            return command.query_async(self).await;
        };
        to.asked = Some(key.as_bytes().to_vec());
        ask(&mut to.connection, command, owner).await
    }

    /// Sends a command about several keys to the node that owns the slot of this one, and if that
    /// gives the slot away and has none of them, to the next owner.
    #[cfg(feature = "cluster")]
    pub(super) async fn send_to_slot(
        &mut self,
        key: &str,
        command: Cmd,
    ) -> Result<Value, RedisError> {
        let Self::Cluster(to) = self else {
            return command.query_async(self).await;
        };
        to.asked = Some(key.as_bytes().to_vec());
        let owner = Route::with_key(key, SlotAddr::Master);
        let owner = SingleNodeRoutingInfo::SpecificNode(owner);
        ask(&mut to.connection, command, owner).await
    }

    /// How fast a cluster answers.
    #[cfg(feature = "cluster")]
    pub(super) fn pace(&self) -> Option<Arc<Pace>> {
        match self {
            Self::One(_) => None,
            Self::Cluster(to) => Some(Arc::clone(&to.pace)),
        }
    }

    /// The key of this handle's latest command, where it is remembered.
    #[cfg(feature = "cluster")]
    pub(super) fn asked(&self) -> Option<Vec<u8>> {
        match self {
            Self::One(_) => None,
            Self::Cluster(to) => to.asked.clone(),
        }
    }

    /// Whether the node that decides about this key is reached. Changes nothing there.
    ///
    /// It asks for a script that nobody has. Only the owner of the key's slot gets as far as to say
    /// so, others send the caller on; and the user may do this if it may do anything here.
    #[cfg(feature = "cluster")]
    pub(super) async fn reaches(&mut self, key: &[u8]) -> bool {
        const NOBODYS: &str = "0000000000000000000000000000000000000000";
        let reply: Result<Value, _> = redis::cmd("EVALSHA")
            .arg(NOBODYS)
            .arg(1)
            .arg(key)
            .query_async(self)
            .await;
        reply.is_err_and(|error| error.kind() == ErrorKind::Server(ServerErrorKind::NoScript))
    }
}

impl ConnectionLike for Connection {
    fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, Value> {
        match self {
            Self::One(connection) => connection.req_packed_command(command),
            #[cfg(feature = "cluster")]
            Self::Cluster(to) => {
                to.asked = first_key(command);
                to.connection.req_packed_command(command)
            }
        }
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        match self {
            Self::One(connection) => connection.req_packed_commands(pipeline, offset, count),
            #[cfg(feature = "cluster")]
            Self::Cluster(to) => to.connection.req_packed_commands(pipeline, offset, count),
        }
    }

    fn get_db(&self) -> i64 {
        match self {
            Self::One(connection) => connection.get_db(),
            #[cfg(feature = "cluster")]
            Self::Cluster(to) => to.connection.get_db(),
        }
    }
}

/// The first key of the commands that rate limits need.
#[cfg(feature = "cluster")]
fn first_key(command: &Cmd) -> Option<Vec<u8>> {
    let mut words = command.args_iter().filter_map(|word| match word {
        Arg::Simple(word) => Some(word),
        _ => None,
    });
    // Before a script's keys stand its hash or source and their number.
    let before = match words.next()? {
        b"EVALSHA" | b"EVAL" => 2,
        _ => 0,
    };
    words.nth(before).map(<[u8]>::to_vec)
}

/// Sends to any node what would go to all of them.
#[cfg(feature = "cluster")]
struct AnyNode<'a>(&'a mut ClusterConnection);

#[cfg(feature = "cluster")]
impl ConnectionLike for AnyNode<'_> {
    fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, Value> {
        let any = RoutingInfo::SingleNode(SingleNodeRoutingInfo::Random);
        Box::pin(self.0.route_command(command.clone(), any))
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        self.0.req_packed_commands(pipeline, offset, count)
    }

    fn get_db(&self) -> i64 {
        self.0.get_db()
    }
}
