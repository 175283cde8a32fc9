//! One server process that belongs to a test.

use std::{
    env, fs,
    path::PathBuf,
    process::Child,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use nix::{
    sys::signal::{self, Signal},
    unistd::Pid,
};
use redis::{Client, FromRedisValue, IntoConnectionInfo, RedisResult};

use super::{launch::Role, ports::Port, server_version::ServerVersion, wait};

/// Bound for one command of [`Server::cli`], so that a stopped server fails a test and does not
/// hang it.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// A server process on a free port of 127.0.0.1, without persistence, in a folder of its own. It
/// ends when it is dropped. Every function blocks the calling thread.
#[derive(Debug)]
pub struct Server {
    pub(super) version: ServerVersion,
    pub(super) role: Role,
    pub(super) extra_args: Vec<String>,
    pub(super) folder: PathBuf,
    pub(super) port: u16,
    /// Reserves the port, also while the server is down.
    pub(super) reservation: Option<Port>,
    /// The process; `None` after [`Server::kill`].
    pub(super) child: Option<Child>,
    stopped: AtomicBool,
    /// Another process started and keeps the server. It cannot be killed or stopped here.
    is_attached: bool,
}

impl Server {
    pub fn start(version: ServerVersion) -> Server {
        Server::start_with(version, &[])
    }

    /// Starts a server with further arguments, such as `&["--maxmemory", "5mb"]`. A `--requirepass`
    /// becomes part of [`Server::url`].
    pub fn start_with(version: ServerVersion, extra_args: &[&str]) -> Server {
        let extra_args = extra_args.iter().map(ToString::to_string).collect();
        Server::start_as(version, Role::Alone, extra_args)
    }

    /// Starts a server that listens on [`Server::socket`] too.
    pub fn start_on_socket(version: ServerVersion) -> Server {
        Server::start_as(version, Role::Socket, Vec::new())
    }

    pub(super) fn unstarted(
        version: ServerVersion,
        role: Role,
        extra_args: Vec<String>,
        folder: PathBuf,
    ) -> Server {
        Server {
            version,
            role,
            extra_args,
            folder,
            port: 0,
            reservation: None,
            child: None,
            stopped: AtomicBool::new(false),
            is_attached: false,
        }
    }

    /// A server that another process started and keeps.
    pub(super) fn attached(version: ServerVersion, port: u16) -> Server {
        let mut server = Server::unstarted(version, Role::Alone, Vec::new(), PathBuf::new());
        server.port = port;
        server.is_attached = true;
        server
    }

    pub fn version(&self) -> ServerVersion {
        self.version
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn url(&self) -> String {
        match self.password() {
            Some(password) => format!("redis://:{password}@127.0.0.1:{}", self.port),
            None => format!("redis://127.0.0.1:{}", self.port),
        }
    }

    /// The path of the unix socket of [`Server::start_on_socket`]. It lies outside of the server's
    /// folder, because the kernel limits the path of a socket to about a hundred bytes, and a
    /// checkout may be nested deeply.
    pub fn socket(&self) -> PathBuf {
        let folder = self.folder.file_name().expect("the folder has a name");
        env::temp_dir().join(format!("throttle-{}.sock", folder.to_string_lossy()))
    }

    /// Ends the server with SIGKILL: connections are reset, and its port refuses new ones. Killing
    /// it again is no error.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("a child may be killed");
            child.wait().expect("a child may be waited for");
        }
        self.stopped.store(false, Ordering::Relaxed);
    }

    /// Starts the server again on its port, without keys. A running server is killed first.
    pub fn restart(&mut self) {
        self.kill();
        // A server that was a replica has a snapshot: the keys that its master sent.
        let _ = fs::remove_file(self.snapshot());
        self.relaunch();
    }

    /// Freezes the server with SIGSTOP: the kernel still accepts connections, and no reply comes.
    pub fn stop(&self) {
        self.signal(Signal::SIGSTOP);
        self.stopped.store(true, Ordering::Relaxed);
    }

    /// Resumes a stopped server. It now answers what was sent to it meanwhile.
    pub fn resume(&self) {
        self.signal(Signal::SIGCONT);
        self.stopped.store(false, Ordering::Relaxed);
    }

    /// Reports whether the server runs: the harness neither killed nor stopped it.
    pub fn is_up(&self) -> bool {
        self.is_attached || self.child.is_some() && !self.stopped.load(Ordering::Relaxed)
    }

    /// Runs one command over a connection of its own and converts the reply to any type of the
    /// redis crate. `redis::Value` fits every reply.
    ///
    /// # Panics
    ///
    /// If the server refuses the command or does not answer.
    pub fn cli<T: FromRedisValue>(&self, args: &[&str]) -> T {
        self.try_cli(args).unwrap_or_else(|error| {
            panic!("{} on {}: {error}", args.join(" "), self.version.name())
        })
    }

    /// Runs one command like [`Server::cli`] and returns its error.
    pub fn try_cli<T: FromRedisValue>(&self, args: &[&str]) -> RedisResult<T> {
        let info = self.url().into_connection_info()?;
        // The client sends no `CLIENT SETINFO`: a running monitor is to see the command alone.
        let settings = info.redis_settings().clone().set_skip_set_lib_name();
        let client = Client::open(info.set_redis_settings(settings))?;
        let mut connection = client.get_connection_with_timeout(ANSWER_WITHIN)?;
        connection.set_read_timeout(Some(ANSWER_WITHIN))?;
        let (name, rest) = args.split_first().expect("a command has a name");
        redis::cmd(name).arg(rest).query(&mut connection)
    }

    /// A field of `INFO`, such as `used_memory`.
    pub fn info(&self, field: &str) -> Option<String> {
        // Retried when the connection is lost: a sentinel cuts all connections of a server when its
        // role changes.
        let info: String = wait::until(ANSWER_WITHIN, || {
            self.try_cli(&["INFO"]).map_err(|error| error.to_string())
        })
        .unwrap_or_else(|error| panic!("INFO: {error}\n{}", self.tail()));
        info.lines()
            .find_map(|line| line.strip_prefix(field)?.strip_prefix(':'))
            .map(str::to_owned)
    }

    /// The number of clients, without the connection that asks and without replicas.
    pub fn clients(&self) -> usize {
        let list: String = self.cli(&["CLIENT", "LIST", "TYPE", "normal"]);
        list.lines().count() - 1
    }

    pub(super) fn password(&self) -> Option<&str> {
        let at = self
            .extra_args
            .iter()
            .position(|arg| arg == "--requirepass")?;
        self.extra_args.get(at + 1).map(String::as_str)
    }

    /// The path of the snapshot. A start reads it if it exists. Only `SAVE` and a replica write it.
    pub(super) fn snapshot(&self) -> PathBuf {
        self.folder.join("dump.rdb")
    }

    fn signal(&self, signal: Signal) {
        let child = self.child.as_ref().expect("the server was killed");
        let pid = Pid::from_raw(child.id().try_into().expect("a pid fits"));
        signal::kill(pid, signal).expect("a child may be signalled");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.is_attached {
            return;
        }
        self.kill();
        // A folder that cannot be removed stays in cargo's target folder.
        let _ = fs::remove_dir_all(&self.folder);
        // Most servers have no socket.
        let _ = fs::remove_file(self.socket());
    }
}
