//! Sends one command, and tells a command that was never sent from one whose answer was lost.

use std::{future::poll_fn, pin::pin, task::Poll, time::Duration};

use redis::{Cmd, ErrorKind, RedisError, ServerErrorKind, Value};

#[cfg(feature = "cluster")]
use super::migration;
use super::{connection::Connection, script::Call};
use crate::store::interface::StoreError;

/// The connection was closed before, so nothing has reached the server: it may be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NotSent;

/// What is sent.
#[derive(Clone, Copy, Debug)]
pub(super) enum Request<'a> {
    Call(&'a Call),
    Command(&'a Cmd),
}

impl Request<'_> {
    /// Sends it and waits for what comes of it. `deadline`: for how long its request waits.
    pub(super) async fn send(
        self,
        connection: &mut Connection,
        #[cfg_attr(not(feature = "cluster"), expect(unused_variables))] deadline: Duration,
    ) -> Result<Result<Value, RedisError>, NotSent> {
        match self {
            Self::Command(command) => send(command, connection).await,
            #[cfg(feature = "cluster")]
            Self::Call(call) if connection.is_cluster() => {
                let reply = migration::exchange(call, connection, deadline).await;
                Ok(reply.map(Value::BulkString))
            }
            Self::Call(call) => match send(&call.by_hash(), connection).await? {
                // The server has restarted or was told to forget scripts. Nothing was done yet.
                Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                    send(&call.by_source(), connection).await
                }
                reply => Ok(reply),
            },
        }
    }
}

/// The client hands a command to its connection's driver task by a channel. If that task has ended,
/// the first poll says so. An error of a later poll may mean that the command was carried out.
async fn send(
    command: &Cmd,
    connection: &mut Connection,
) -> Result<Result<Value, RedisError>, NotSent> {
    // A cluster's client makes its connections itself, and sends again by itself.
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

/// The script's reply.
pub(super) fn bytes(reply: Value) -> Result<Vec<u8>, StoreError> {
    redis::from_redis_value(reply).map_err(|error| StoreError::new(error.to_string()))
}
