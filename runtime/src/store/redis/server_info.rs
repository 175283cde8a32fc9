//! What a server says about itself when a limiter is built.

use std::{fmt, time::Duration};

use redis::{ErrorKind, FromRedisValue, RedisError, Value};
use tokio::time::timeout;

use super::{
    connection::Connection,
    startup_error::{is_a_sentinel, is_of_a_cluster},
};
use crate::{
    error::{InitError, InitKind},
    log_throttle::TARGET,
};

/// The oldest server that the tests run against.
const OLDEST: (u32, u32) = (6, 2);
/// The time for what only a warning depends on. In a cluster every node is asked.
const MEMORY_WITHIN: Duration = Duration::from_millis(500);

/// A server that says nothing about itself.
pub(super) const UNKNOWN: &str = "a Redis or Valkey that does not tell its version";

/// The answers to `INFO`.
#[derive(Debug)]
pub(super) struct ServerInfo {
    /// The section `server`, in a cluster of any one node.
    server: String,
    /// The section `memory`, in a cluster of each node. Empty where it could not be had.
    memory: Vec<String>,
}

impl ServerInfo {
    /// Asks for it. A server may forbid that, have no such command, or be a proxy: there is nothing
    /// to be checked then, and limits need nothing of it.
    ///
    /// # Errors
    ///
    /// If the connection broke, or the answer is about the connection and not about the command.
    pub(super) async fn ask(connection: &mut Connection) -> Result<Option<Self>, RedisError> {
        let server = match connection.info().await {
            Ok(server) => server,
            Err(error) => {
                let is_refusal =
                    matches!(error.kind(), ErrorKind::Server(_) | ErrorKind::Extension);
                return match is_refusal && error.code() != Some("NOAUTH") {
                    true => Ok(None),
                    false => Err(error),
                };
            }
        };
        let memory = timeout(MEMORY_WITHIN, memory(connection)).await;
        Ok(Some(Self {
            server,
            memory: memory.ok().and_then(Result::ok).unwrap_or_default(),
        }))
    }

    /// Whether this server is one that limits can be counted on.
    pub(super) fn check(&self, knows_clusters: bool) -> Result<(), InitError> {
        if let Some(version) = field(&self.server, "redis_version") {
            check_version(version)?;
        }
        match self.mode() {
            Some("cluster") if !knows_clusters => Err(is_of_a_cluster()),
            Some("sentinel") => Err(is_a_sentinel()),
            _ => Ok(()),
        }
    }

    /// Warns of a server that makes room by throwing counters away.
    pub(super) fn warn_of_eviction(&self, name: &str) {
        let evicting = self.memory.iter().find_map(|memory| {
            let policy = field(memory, "maxmemory_policy").filter(|policy| *policy != "noeviction");
            Some((policy?, field(memory, "maxmemory")? != "0"))
        });
        match evicting {
            Some((policy, true)) => log::warn!(
                target: TARGET,
                "{name} has maxmemory-policy {policy}: when its memory is full it throws counters \
                 and blocks away, and who was denied is admitted; set it to noeviction"
            ),
            // It has no bound to its memory, so it evicts nothing yet.
            Some((policy, false)) => log::debug!(
                target: TARGET,
                "{name} has maxmemory-policy {policy}, and no maxmemory that would make it evict"
            ),
            None => {}
        }
    }

    fn mode(&self) -> Option<&str> {
        // Valkey's newer name beside the old one.
        field(&self.server, "redis_mode").or_else(|| field(&self.server, "server_mode"))
    }
}

/// Which store it is, its version, and how it is set up.
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

/// What a section says in a line `name:value`.
fn field<'a>(section: &'a str, name: &str) -> Option<&'a str> {
    let value = |line: &'a str| line.strip_prefix(name)?.strip_prefix(':');
    section.lines().find_map(value).map(str::trim)
}

async fn memory(connection: &mut Connection) -> Result<Vec<String>, RedisError> {
    let mut command = redis::cmd("INFO");
    command.arg("memory");
    let sections = match command.query_async(connection).await? {
        // By node.
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
