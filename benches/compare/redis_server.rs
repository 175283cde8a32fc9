//! Starts Redis servers for this run alone, and reads their statistics.

use std::{
    collections::BTreeMap,
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use redis::Connection;
use serde::{Deserialize, Serialize};

use crate::{Result, case::Redis, settings::Settings};

const START: Duration = Duration::from_secs(10);

pub(crate) struct RedisServers {
    pub(crate) main: RedisServer,
    thousand: RedisServer,
    million: RedisServer,
    valkey: RedisServer,
}

/// The URLs of the servers.
pub(crate) struct Urls {
    pub(crate) main: String,
    pub(crate) thousand: String,
    pub(crate) million: String,
    pub(crate) valkey: String,
}

impl RedisServers {
    pub(crate) fn start(settings: &Settings) -> Result<Self> {
        let redis = || RedisServer::start(&settings.redis_server);
        Ok(Self {
            main: redis()?,
            thousand: redis()?,
            million: redis()?,
            valkey: RedisServer::start(&settings.valkey_server)?,
        })
    }

    pub(crate) fn urls(&self) -> Urls {
        Urls {
            main: self.main.url(),
            thousand: self.thousand.url(),
            million: self.million.url(),
            valkey: self.valkey.url(),
        }
    }

    pub(crate) fn of(&self, redis: Redis) -> &RedisServer {
        match redis {
            Redis::Main => &self.main,
            Redis::Thousand => &self.thousand,
            Redis::Million => &self.million,
            Redis::Valkey => &self.valkey,
        }
    }
}

pub(crate) struct RedisServer {
    child: Child,
    port: u16,
}

impl RedisServer {
    /// Starts a server without persistence on a free port, and waits until it responds.
    pub(crate) fn start(binary: &Path) -> Result<Self> {
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let child = Command::new(binary)
            .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
            .args(["--daemonize", "no", "--port", &port.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .map_err(|error| format!("{}: {error}", binary.display()))?;
        let server = Self { child, port };
        let end = Instant::now() + START;
        loop {
            match server.connect() {
                Ok(_) => return Ok(server),
                Err(error) if Instant::now() > end => {
                    return Err(format!("{} does not answer: {error}", binary.display()).into());
                }
                Err(_) => thread::sleep(Duration::from_millis(20)),
            }
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub(crate) fn connect(&self) -> Result<Connection> {
        Ok(redis::Client::open(self.url())?.get_connection()?)
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        // The server may have ended already; then there is nothing to do.
        if self.child.kill().is_ok() {
            drop(self.child.wait());
        }
    }
}

/// The work of a server since it started, or between two readings.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Load {
    /// Commands, including those within scripts and transactions.
    pub(crate) commands: u64,
    /// Scripts and transactions.
    pub(crate) calls: u64,
    /// The server's time for scripts and transactions, in microseconds.
    pub(crate) micros: u64,
    /// All processor time of the server, in microseconds.
    pub(crate) cpu: u64,
}

/// The commands of a reading itself: one `INFO`, which Redis counts once it is done.
const LOOK: u64 = 1;

impl Load {
    /// Reads the counters of the server. Compare readings of one connection only: connecting takes
    /// commands.
    pub(crate) fn look(connection: &mut Connection) -> Result<Self> {
        let info: String = redis::cmd("INFO").arg("all").query(connection)?;
        Self::read(&info)
    }

    fn read(info: &str) -> Result<Self> {
        let fields: BTreeMap<&str, &str> = info
            .lines()
            .filter_map(|line| line.trim_end().split_once(':'))
            .collect();
        let commands = fields.get("total_commands_processed");
        let mut load = Self {
            commands: commands.ok_or("INFO counts no commands")?.parse()?,
            ..Self::default()
        };
        for call in ["cmdstat_evalsha", "cmdstat_eval", "cmdstat_exec"] {
            let parts = fields.get(call).copied().unwrap_or_default().split(',');
            for (name, value) in parts.filter_map(|part| part.split_once('=')) {
                match name {
                    "calls" => load.calls += value.parse::<u64>()?,
                    "usec" => load.micros += value.parse::<u64>()?,
                    _ => {}
                }
            }
        }
        // Seconds, with six decimal places.
        for part in ["used_cpu_user", "used_cpu_sys"] {
            let seconds = fields.get(part).ok_or("INFO tells no processor time")?;
            load.cpu += seconds.replace('.', "").parse::<u64>()?;
        }
        Ok(load)
    }

    /// Returns what the server did since `before`, which was read on the same connection.
    pub(crate) fn since(&self, before: &Self) -> Self {
        Self {
            commands: (self.commands - before.commands).saturating_sub(LOOK),
            calls: self.calls - before.calls,
            micros: self.micros - before.micros,
            cpu: self.cpu - before.cpu,
        }
    }
}
