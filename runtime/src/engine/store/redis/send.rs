//! Sends one request, and tells a request that never left this process from one whose reply was
//! lost. The executor and the verification call it. It never sends a request again after a lost
//! reply.

use std::{future::poll_fn, pin::pin, task::Poll, time::Duration};

use redis::{Cmd, ErrorKind, Pipeline, RedisError, ServerErrorKind, Value};

#[cfg(feature = "cluster")]
use super::cluster::migration;
use super::{connection::connection::Connection, node::Node, plain::call::PlainCall, script::Call};
use crate::engine::{observe::CallOutcome, store::interface::StoreError};

/// The connection was closed before the request left this process. Redis has seen nothing of it, so
/// the request may be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NotSent;

/// A request to Redis.
#[derive(Clone, Copy, Debug)]
pub(super) enum RedisRequest<'a> {
    Call(&'a Call),
    Plain(&'a PlainCall),
    Command(&'a Cmd),
    List(&'a CommandList),
}

/// Commands that go to one node in one round trip.
#[derive(Debug)]
pub(super) struct CommandList {
    node: Node,
    pipeline: Pipeline,
    /// The replies to each command, of which only the last one counts.
    each: usize,
    count: usize,
}

impl CommandList {
    /// Makes a list of commands. If they are `about_keys`, a node of a cluster also carries out
    /// those about keys in slots that are on their way to it (`ASKING`).
    pub(super) fn new(node: &Node, commands: Vec<Cmd>, about_keys: bool) -> Self {
        let asks = about_keys && node.is_in_cluster();
        let count = commands.len();
        let mut pipeline = Pipeline::with_capacity(count);
        for command in commands {
            if asks {
                pipeline.add_command(redis::cmd("ASKING"));
            }
            pipeline.add_command(command);
        }
        Self {
            node: node.clone(),
            pipeline,
            each: if asks { 2 } else { 1 },
            count,
        }
    }

    async fn send(&self, connection: &mut Connection) -> Result<Value, RedisError> {
        let count = self.count * self.each;
        let replies = self.node.send(&self.pipeline, count, connection).await?;
        let replies = replies.into_iter().skip(self.each - 1).step_by(self.each);
        Ok(Value::Array(replies.collect()))
    }
}

impl RedisRequest<'_> {
    /// Sends the request and waits for its reply. `deadline` is the time that a decision may take;
    /// a cluster derives from it when to call off a call of several keys.
    ///
    /// # Errors
    ///
    /// [`NotSent`] if the request never left this process. The inner error comes from Redis or the
    /// connection; after a connection error, the request may have been carried out.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped midway, the request may still be carried out.
    pub(super) async fn send(
        self,
        connection: &mut Connection,
        #[cfg_attr(not(feature = "cluster"), expect(unused_variables))] deadline: Duration,
    ) -> Result<Result<Value, RedisError>, NotSent> {
        match self {
            Self::Command(command) => send(command, connection).await,
            // A list is sent once: its caller can begin again.
            Self::List(list) => Ok(list.send(connection).await),
            #[cfg(feature = "cluster")]
            Self::Call(call) if connection.is_cluster() => {
                let reply = migration::exchange(call, connection, deadline).await;
                Ok(reply.map(Value::BulkString))
            }
            #[cfg(feature = "cluster")]
            Self::Plain(call) if connection.is_cluster() => {
                let reply = migration::exchange(call, connection, deadline).await;
                Ok(reply.map(Value::BulkString))
            }
            Self::Call(call) => match send(&call.by_hash(), connection).await? {
                Err(error) if is_unknown_script(&error) => {
                    send(&call.by_source(), connection).await
                }
                reply => Ok(reply),
            },
            Self::Plain(call) => match send(&call.by_hash(), connection).await? {
                Err(error) if is_unknown_script(&error) => {
                    send(&call.by_source(), connection).await
                }
                reply => Ok(reply),
            },
        }
    }
}

/// Whether the error is `NOSCRIPT`: Redis has restarted, or its script cache was flushed. Nothing
/// was done yet.
fn is_unknown_script(error: &RedisError) -> bool {
    error.kind() == ErrorKind::Server(ServerErrorKind::NoScript)
}

/// Sends a command, and finds out whether it left this process. The client hands a command to its
/// connection's driver task through a channel. If that task has ended, the first poll fails. An
/// error of a later poll may mean that the command was carried out.
async fn send(
    command: &Cmd,
    connection: &mut Connection,
) -> Result<Result<Value, RedisError>, NotSent> {
    // A cluster client makes its own connections, and sends commands again by itself.
    let mut may_be_unsent = !connection.is_cluster();
    let mut reply = pin!(command.query_async(connection));
    poll_fn(|context| match reply.as_mut().poll(context) {
        Poll::Ready(Err(error)) if may_be_unsent && error.is_connection_dropped() => {
            Poll::Ready(Err(NotSent))
        }
        Poll::Ready(reply) => Poll::Ready(Ok(reply)),
        Poll::Pending => {
            may_be_unsent = false;
            Poll::Pending
        }
    })
    .await
}

/// The script's reply, which is a byte string.
///
/// # Errors
///
/// A reply of another type is a failure of the store.
pub(super) fn bytes(reply: Value) -> Result<Vec<u8>, StoreError> {
    redis::from_redis_value(reply).map_err(|error| StoreError::new(error.to_string()))
}

/// Returns how a call has ended.
pub(super) fn call_outcome<T>(reply: &Result<T, StoreError>) -> CallOutcome {
    match reply {
        Ok(_) => CallOutcome::Decided,
        Err(error) if error.is_late() => CallOutcome::Late,
        Err(_) => CallOutcome::Failed,
    }
}
