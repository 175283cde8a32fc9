//! The servers that hold keys, for commands that go to one of them whatever their keys are.

use redis::{Pipeline, RedisError, Value};

use super::connection::connection::Connection;
#[cfg(feature = "cluster")]
use super::connection::owners::Owner;

/// A server that holds keys.
#[derive(Clone, Debug)]
pub(super) enum Node {
    /// The one server, or the master that sentinels name.
    One,
    /// A master of a cluster.
    #[cfg(feature = "cluster")]
    Master(Owner),
}

impl Node {
    /// Sends a pipeline of `count` commands to this node. The error of one is its reply.
    pub(super) async fn send(
        &self,
        pipeline: &Pipeline,
        count: usize,
        connection: &mut Connection,
    ) -> Result<Vec<Value>, RedisError> {
        #[cfg(feature = "cluster")]
        if let (Self::Master(owner), Connection::Cluster(to)) = (self, &mut *connection) {
            return to.send_to(owner.clone(), pipeline.clone(), count).await;
        }
        connection.send_list(pipeline, count).await
    }

    /// Whether a slot may be on its way to this node.
    pub(super) fn is_in_cluster(&self) -> bool {
        !matches!(self, Self::One)
    }
}
