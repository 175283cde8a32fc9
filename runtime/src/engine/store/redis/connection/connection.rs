//! One type for connections to a single server and to a cluster. The executor and the reconnect
//! task send on it. It knows neither deadlines nor the circuit breaker.

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
use crate::engine::store::redis::connection::{
    owners::{Owners, ask},
    pace::Pace,
};

/// A cheap handle of a connection: clones share it.
#[derive(Clone)]
pub(crate) enum Connection {
    /// A connection to one server, named by the application or by sentinels.
    One(MultiplexedConnection),
    #[cfg(feature = "cluster")]
    Cluster(ToCluster),
}

/// A connection to all nodes of a cluster.
#[cfg(feature = "cluster")]
#[derive(Clone)]
pub(crate) struct ToCluster {
    connection: ClusterConnection,
    /// The first key of this handle's latest command. It tells which node a reply was expected
    /// from.
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

#[cfg(feature = "cluster")]
impl ToCluster {
    /// Sends a pipeline of `count` commands to one node. The error of one is its reply.
    pub(crate) async fn send_to(
        &mut self,
        node: impl Into<SingleNodeRoutingInfo>,
        pipeline: Pipeline,
        count: usize,
    ) -> Result<Vec<Value>, RedisError> {
        // A late reply says nothing about the node of an earlier key.
        self.asked = None;
        let connection = &mut self.connection;
        connection
            .route_pipeline(pipeline, 0, count, node.into())
            .await
    }
}

impl Connection {
    /// Sends a pipeline of `count` commands; in a cluster, to any node. The error of one command is
    /// its reply.
    pub(crate) async fn send_list(
        &mut self,
        pipeline: &Pipeline,
        count: usize,
    ) -> Result<Vec<Value>, RedisError> {
        match self {
            Self::One(connection) => connection.req_packed_commands(pipeline, 0, count).await,
            #[cfg(feature = "cluster")]
            Self::Cluster(to) => {
                let any = SingleNodeRoutingInfo::Random;
                to.send_to(any, pipeline.clone(), count).await
            }
        }
    }

    pub(crate) fn is_cluster(&self) -> bool {
        match self {
            Self::One(_) => false,
            #[cfg(feature = "cluster")]
            Self::Cluster(_) => true,
        }
    }

    /// Whether the other end has closed the connection. Sends nothing.
    ///
    /// The client passes a command to the task that drives the connection. That task ends when the
    /// connection does, and then the channel to it fails at once. A command is not sent if its
    /// caller has left by the time that the task sees it. Nothing else tells of a close in time:
    /// the client's push messages do, but only to pools that were set up for them. A cluster client
    /// maintains its connections itself, so a cluster never counts as closed.
    pub(crate) fn is_closed(&self) -> bool {
        let mut handle = match self {
            Self::One(connection) => connection.clone(),
            #[cfg(feature = "cluster")]
            Self::Cluster(_) => return false,
        };
        let command = redis::cmd("PING");
        let mut sending = handle.req_packed_command(&command);
        let polled = sending
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()));
        matches!(polled, Poll::Ready(Err(error)) if error.is_connection_dropped())
    }

    /// Sends a `PING`; in a cluster, to every master.
    pub(crate) async fn ping(&mut self) -> Result<(), RedisError> {
        redis::cmd("PING").query_async(self).await
    }

    /// The reply to `INFO server`; in a cluster, of a random node.
    pub(crate) async fn info(&mut self) -> Result<String, RedisError> {
        let mut command = redis::cmd("INFO");
        command.arg("server");
        match self {
            Self::One(connection) => command.query_async(connection).await,
            #[cfg(feature = "cluster")]
            Self::Cluster(to) => command.query_async(&mut AnyNode(&mut to.connection)).await,
        }
    }

    /// Sends a command about one key to the node that owns its slot. If that node is migrating the
    /// slot and does not have the key, the command goes on to the next owner (`ASK` redirection).
    #[cfg(feature = "cluster")]
    pub(crate) async fn ask(&mut self, key: &str, command: Cmd) -> Result<Value, RedisError> {
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

    /// Sends a command about several keys to the node that owns the slot of `key`. If that node is
    /// migrating the slot and has none of the keys, the command goes on to the next owner (`ASK`
    /// redirection).
    #[cfg(feature = "cluster")]
    pub(crate) async fn send_to_slot(
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

    /// Returns the pace at which a cluster replies; `None` for a single server.
    #[cfg(feature = "cluster")]
    pub(crate) fn pace(&self) -> Option<Arc<Pace>> {
        match self {
            Self::One(_) => None,
            Self::Cluster(to) => Some(Arc::clone(&to.pace)),
        }
    }

    /// The first key of this handle's latest command; `None` for a single server.
    #[cfg(feature = "cluster")]
    pub(crate) fn latest_key(&self) -> Option<Vec<u8>> {
        match self {
            Self::One(_) => None,
            Self::Cluster(to) => to.asked.clone(),
        }
    }

    /// Whether the node that owns the slot of this key is reached. Changes nothing on the node.
    ///
    /// It calls a script that does not exist. Only the owner of the slot replies `NOSCRIPT`; other
    /// nodes redirect. A user that may call the limiter's script may also do this.
    #[cfg(feature = "cluster")]
    pub(crate) async fn reaches(&mut self, key: &[u8]) -> bool {
        const UNKNOWN_SCRIPT: &str = "0000000000000000000000000000000000000000";
        let reply: Result<Value, _> = redis::cmd("EVALSHA")
            .arg(UNKNOWN_SCRIPT)
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

/// The first key of a command, for the commands that the store sends.
#[cfg(feature = "cluster")]
fn first_key(command: &Cmd) -> Option<Vec<u8>> {
    let mut words = command.args_iter().filter_map(|word| match word {
        Arg::Simple(word) => Some(word),
        _ => None,
    });
    // A script's hash or source and the number of its keys precede the keys.
    let before = match words.next()? {
        b"EVALSHA" | b"EVAL" => 2,
        _ => 0,
    };
    words.nth(before).map(<[u8]>::to_vec)
}

/// Sends a command to a random node, where the client would send it to all of them.
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
