//! A server's report about itself (`INFO`) when a limiter is built. The startup check asks for
//! it. Limits work without it.

use std::{fmt, time::Duration};

use redis::{ErrorKind, FromRedisValue, RedisError, Value};
use tokio::time::timeout;

use crate::engine::store::redis::{
    connection::connection::Connection,
    startup::classify::{is_a_sentinel, is_of_a_cluster},
};
use crate::engine::{
    error::{InitError, InitKind},
    log_throttle::TARGET,
};

/// The oldest version of Redis that is supported, because the tests run against it.
const OLDEST: (u32, u32) = (6, 2);
/// The longest time for `INFO memory`, on which only a warning depends. In a cluster every node is
/// asked.
const MEMORY_WITHIN: Duration = Duration::from_millis(500);

/// The description of a server that reports nothing about itself.
pub(crate) const UNKNOWN: &str = "a Redis or Valkey that does not tell its version";

/// The replies to `INFO`.
#[derive(Debug)]
pub(crate) struct ServerInfo {
    /// The section `server`; in a cluster, of a random node.
    server: String,
    /// The section `memory`; in a cluster, of each node. The list is empty if the server did not
    /// send it.
    memory: Vec<String>,
}

impl ServerInfo {
    /// Sends `INFO`. `None` if the server forbids the command, does not know it, or is a proxy:
    /// then there is nothing to check.
    ///
    /// # Errors
    ///
    /// If the connection broke, or the error is about the connection and not about the command.
    pub(crate) async fn ask(connection: &mut Connection) -> Result<Option<Self>, RedisError> {
        let server = match connection.info().await {
            Ok(server) => server,
            Err(error) => {
                let is_refusal =
                    matches!(error.kind(), ErrorKind::Server(_) | ErrorKind::Extension);
                return if is_refusal && error.code() != Some("NOAUTH") {
                    Ok(None)
                } else {
                    Err(error)
                };
            }
        };
        let memory = timeout(MEMORY_WITHIN, memory(connection)).await;
        Ok(Some(Self {
            server,
            memory: memory.ok().and_then(Result::ok).unwrap_or_default(),
        }))
    }

    /// Checks that limits can be counted on this server.
    ///
    /// # Errors
    ///
    /// If the server is too old, is a sentinel, or is a cluster node and the client knows no
    /// clusters.
    pub(crate) fn check(&self, knows_clusters: bool) -> Result<(), InitError> {
        if let Some(version) = field(&self.server, "redis_version") {
            check_version(version)?;
        }
        match self.mode() {
            Some("cluster") if !knows_clusters => Err(is_of_a_cluster()),
            Some("sentinel") => Err(is_a_sentinel()),
            _ => Ok(()),
        }
    }

    /// Warns if the server evicts keys, and with them counters, when its memory is full.
    pub(crate) fn warn_of_eviction(&self, name: &str) {
        let evicting = self.memory.iter().find_map(|memory| {
            let policy = field(memory, "maxmemory_policy").filter(|policy| *policy != "noeviction");
            Some((policy?, field(memory, "maxmemory")? != "0"))
        });
        match evicting {
            Some((policy, true)) => log::warn!(
                target: TARGET,
                "{name} has maxmemory-policy {policy}: when its memory is full, it evicts counters and \
                 blocks, so denied clients are admitted; set it to noeviction"
            ),
            // The server's memory has no limit, so it evicts nothing yet.
            Some((policy, false)) => log::debug!(
                target: TARGET,
                "{name} has maxmemory-policy {policy}, and no maxmemory that would make it evict"
            ),
            None => {}
        }
    }

    fn mode(&self) -> Option<&str> {
        // Valkey also reports the mode by a newer name.
        field(&self.server, "redis_mode").or_else(|| field(&self.server, "server_mode"))
    }
}

/// The server's product, version and mode, for log lines.
impl fmt::Display for ServerInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said = |name| field(&self.server, name);
        match (said("valkey_version"), said("redis_version")) {
            (Some(version), _) => write!(f, "Valkey {version}")?,
            (None, Some(version)) => write!(f, "Redis {version}")?,
            (None, None) => f.write_str(UNKNOWN)?,
        }
        match self.mode() {
            Some(mode) => write!(f, ", {mode}"),
            None => Ok(()),
        }
    }
}

/// The value of the line `name:value` in a section.
fn field<'a>(section: &'a str, name: &str) -> Option<&'a str> {
    let value = |line: &'a str| line.strip_prefix(name)?.strip_prefix(':');
    section.lines().find_map(value).map(str::trim)
}

async fn memory(connection: &mut Connection) -> Result<Vec<String>, RedisError> {
    let mut command = redis::cmd("INFO");
    command.arg("memory");
    let sections = match command.query_async(connection).await? {
        // The map has a section for each node.
        Value::Map(sections) => sections.into_iter().map(|(_, section)| section).collect(),
        section => vec![section],
    };
    let sections = sections.into_iter().map(String::from_redis_value);
    Ok(sections.collect::<Result<_, _>>()?)
}

fn check_version(version: &str) -> Result<(), InitError> {
    let mut numbers = version.split('.').map_while(|part| part.parse().ok());
    let (major, minor): (u32, u32) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    if (major, minor) >= OLDEST {
        return Ok(());
    }
    let detail = format!(
        "the server is Redis {version}; rate limits need Redis {}.{} or newer, or any Valkey",
        OLDEST.0, OLDEST.1
    );
    Err(InitError::new(InitKind::Server, detail))
}
