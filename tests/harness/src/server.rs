//! One server process of a test's own.

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

/// For one command of [`Server::cli`], so that a stopped server fails a test instead of hanging it.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// A server process on a free port of 127.0.0.1, without persistence, in a folder of its own;
/// gone when dropped. Every function blocks the calling thread.
#[derive(Debug)]
pub struct Server {
    pub(super) version: ServerVersion,
    pub(super) role: Role,
    pub(super) extra_args: Vec<String>,
    pub(super) folder: PathBuf,
    pub(super) port: u16,
    /// Of the port, also while the server is down.
    pub(super) reservation: Option<Port>,
    /// `None` after [`Server::kill`].
    pub(super) child: Option<Child>,
    stopped: AtomicBool,
    /// Started and kept by another process: it is up, and cannot be killed or stopped here.
    is_attached: bool,
}

impl Server {
    pub fn start(version: ServerVersion) -> Server {
        Server::start_with(version, &[])
    }

    /// With further arguments for the command line, as in `&["--maxmemory", "5mb"]`.
    /// A `--requirepass` becomes part of [`Server::url`].
    pub fn start_with(version: ServerVersion, extra_args: &[&str]) -> Server {
        let extra_args = extra_args.iter().map(ToString::to_string).collect();
        Server::start_as(version, Role::Alone, extra_args)
    }

    /// One that listens on [`Server::socket`] too.
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

    /// One that another process has started and keeps.
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

    /// The unix socket of [`Server::start_on_socket`]. Outside of the server's folder: the kernel
    /// takes no path longer than a hundred bytes or so, and a checkout may lie deep.
    pub fn socket(&self) -> PathBuf {
        let folder = self.folder.file_name().expect("the folder has a name");
        env::temp_dir().join(format!("throttle-{}.sock", folder.to_string_lossy()))
    }

    /// Ends the server with SIGKILL: connections are reset, the port refuses. Killing it again is no error.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("a child may be killed");
            child.wait().expect("a child may be waited for");
        }
        self.stopped.store(false, Ordering::Relaxed);
    }

    /// Starts the server again on the port it had, empty; kills it first where needed.
    pub fn restart(&mut self) {
        self.kill();
        // There is one where the server was a replica: it keeps what its master sent.
        let _ = fs::remove_file(self.snapshot());
        self.relaunch();
    }

    /// Freezes the server with SIGSTOP: connections are accepted by the kernel, and nobody answers.
    pub fn stop(&self) {
        self.signal(Signal::SIGSTOP);
        self.stopped.store(true, Ordering::Relaxed);
    }

    /// Lets a stopped server go on; what was sent to it meanwhile is answered now.
    pub fn resume(&self) {
        self.signal(Signal::SIGCONT);
        self.stopped.store(false, Ordering::Relaxed);
    }

    /// Neither killed nor stopped, as far as the harness did it.
    pub fn is_up(&self) -> bool {
        self.is_attached || self.child.is_some() && !self.stopped.load(Ordering::Relaxed)
    }

    /// Runs one command over a connection of its own and gives the answer as any type of the redis
    /// crate's, `redis::Value` for whatever comes.
    ///
    /// # Panics
    ///
    /// When the server refuses the command or does not answer.
    pub fn cli<T: FromRedisValue>(&self, args: &[&str]) -> T {
        self.try_cli(args).unwrap_or_else(|error| {
            panic!("{} on {}: {error}", args.join(" "), self.version.name())
        })
    }

    /// [`Server::cli`] for a command that may be refused.
    pub fn try_cli<T: FromRedisValue>(&self, args: &[&str]) -> RedisResult<T> {
        let info = self.url().into_connection_info()?;
        // No CLIENT SETINFO: with a monitor running, only the command itself is to be seen.
        let settings = info.redis_settings().clone().set_skip_set_lib_name();
        let client = Client::open(info.set_redis_settings(settings))?;
        let mut connection = client.get_connection_with_timeout(ANSWER_WITHIN)?;
        connection.set_read_timeout(Some(ANSWER_WITHIN))?;
        let (name, rest) = args.split_first().expect("a command has a name");
        redis::cmd(name).arg(rest).query(&mut connection)
    }

    /// A field of INFO, as in `used_memory`.
    pub fn info(&self, field: &str) -> Option<String> {
        // Asked anew where the connection is lost: sentinels cut all of a server that changes its role.
        let info: String = wait::until(ANSWER_WITHIN, || {
            self.try_cli(&["INFO"]).map_err(|error| error.to_string())
        })
        .unwrap_or_else(|error| panic!("INFO: {error}\n{}", self.tail()));
        info.lines()
            .find_map(|line| line.strip_prefix(field)?.strip_prefix(':'))
            .map(str::to_owned)
    }

    /// How many clients the server has, besides the one that asks. Replicas are none.
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

    /// Read at a start, if it is there; written by nothing but SAVE, and by a replica.
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
        // What cannot be removed is left in cargo's folder for such things.
        let _ = fs::remove_dir_all(&self.folder);
        // Of most servers there is none.
        let _ = fs::remove_file(self.socket());
    }
}
