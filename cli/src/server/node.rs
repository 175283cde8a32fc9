//! One connection to one server.

use std::fmt;

use redis::{Cmd, Connection, ConnectionLike, FromRedisValue, Pipeline, RedisError, Value};

use crate::error::CliError;

/// A server that commands are sent to.
pub(crate) struct Node {
    name: String,
    connection: Connection,
    /// Whether it is a node of a cluster. A slot may be on its way to it, so each command about a
    /// key asks for keys of such slots (`ASKING`), too.
    is_in_cluster: bool,
}

impl Node {
    pub(super) fn new(name: String, connection: Connection) -> Self {
        Self {
            name,
            connection,
            is_in_cluster: false,
        }
    }

    pub(super) fn in_cluster(mut self) -> Self {
        self.is_in_cluster = true;
        self
    }

    /// The address, without credentials.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Sends a command that is not about a key.
    ///
    /// # Errors
    ///
    /// If there is no reply, or it is an error or of another type.
    pub(crate) fn call<T: FromRedisValue>(&mut self, command: &Cmd) -> Result<T, CliError> {
        let reply = self.try_call(command);
        reply.map_err(|error| self.error(&error))
    }

    /// Sends a command like [`call`](Self::call), where the caller has use for the error.
    pub(super) fn try_call<T: FromRedisValue>(&mut self, command: &Cmd) -> Result<T, RedisError> {
        command.query(&mut self.connection)
    }

    /// Sends commands about keys at once, also about keys in slots that are on their way here. The
    /// error of one command is its reply and no error of this call.
    ///
    /// # Errors
    ///
    /// If the connection fails.
    pub(crate) fn calls(&mut self, commands: &[Cmd]) -> Result<Vec<Value>, CliError> {
        self.send(commands, self.is_in_cluster)
    }

    /// Sends commands like [`calls`](Self::calls), about keys in slots that this node owns.
    ///
    /// # Errors
    ///
    /// If the connection fails.
    pub(crate) fn calls_as_owner(&mut self, commands: &[Cmd]) -> Result<Vec<Value>, CliError> {
        self.send(commands, false)
    }

    fn send(&mut self, commands: &[Cmd], asks: bool) -> Result<Vec<Value>, CliError> {
        if commands.is_empty() {
            return Ok(Vec::new());
        }
        let mut pipeline = Pipeline::with_capacity(commands.len());
        for command in commands {
            if asks {
                pipeline.add_command(redis::cmd("ASKING"));
            }
            pipeline.add_command(command.clone());
        }
        let packed = pipeline.get_packed_pipeline();
        let each = if asks { 2 } else { 1 };
        let replies = self
            .connection
            .req_packed_commands(&packed, 0, commands.len() * each);
        match replies {
            Ok(replies) => Ok(replies.into_iter().skip(each - 1).step_by(each).collect()),
            Err(error) => Err(self.error(&error)),
        }
    }

    /// # Errors
    ///
    /// If the user may not send one of the commands with these replies.
    pub(crate) fn check_permission(&self, replies: &[Value]) -> Result<(), CliError> {
        let denied = replies.iter().find_map(|reply| match reply {
            Value::ServerError(error) if error.code() == "NOPERM" => Some(error.clone()),
            _ => None,
        });
        match denied {
            Some(error) => Err(self.error(&error.into())),
            None => Ok(()),
        }
    }

    pub(super) fn error(&self, error: &RedisError) -> CliError {
        let advice = match error.code() {
            Some("NOPERM") => "; the guide's chapter \"command line\" lists the commands",
            Some("NOAUTH" | "WRONGPASS") => {
                "; write the user and the password into the URL, redis://user:password@host:port"
            }
            _ => "",
        };
        CliError::new(format!("{}: {error}{advice}", self.name))
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Node")
            .field("name", &self.name)
            .field("is_in_cluster", &self.is_in_cluster)
            .finish_non_exhaustive()
    }
}
