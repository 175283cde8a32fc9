//! One server process of a test's own.

use std::{
    fs::{self, File},
    io::ErrorKind,
    net::{Ipv4Addr, TcpListener},
    ops::Range,
    path::{Path, PathBuf},
    process::{Child, Stdio},
    sync::{
        LazyLock,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{self, Signal},
    unistd::Pid,
};
use redis::{Client, FromRedisValue, IntoConnectionInfo, RedisResult};

use super::{child, flavour::Flavour};

/// For a server to be ready; a start takes some ten milliseconds on an idle machine.
const PATIENCE: Duration = Duration::from_secs(10);

/// For one command of [`Server::cli`], so that a stopped server fails a test instead of hanging it.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// Below 32768, where Linux begins to take the ports of outgoing connections from. While a killed
/// server is down nothing may slip into its port, least of all a client of it that keeps reconnecting:
/// the kernel can hand that client the very port as its own, and it is then connected to itself.
/// Below 55536 also because a cluster node listens 10000 higher.
const PORTS: Range<u16> = 20_000..32_000;

/// A server process on a free port of 127.0.0.1, without persistence, in a folder of its own;
/// gone when dropped. Every function blocks the calling thread.
#[derive(Debug)]
pub(crate) struct Server {
    flavour: Flavour,
    extra_args: Vec<String>,
    folder: PathBuf,
    port: u16,
    /// `None` after [`Server::kill`].
    child: Option<Child>,
}

impl Server {
    pub(crate) fn start(flavour: Flavour) -> Server {
        Server::start_with(flavour, &[])
    }

    /// With further arguments for the command line, as in `&["--maxmemory", "5mb"]`.
    /// A `--requirepass` becomes part of [`Server::url`].
    pub(crate) fn start_with(flavour: Flavour, extra_args: &[&str]) -> Server {
        let mut server = Server {
            flavour,
            extra_args: extra_args.iter().map(ToString::to_string).collect(),
            folder: fresh_folder(),
            port: 0,
            child: None,
        };
        let deadline = Instant::now() + PATIENCE;
        loop {
            server.port = free_port();
            match server.launch() {
                Ok(()) => return server,
                // Another process was faster to take the port; the next is as good.
                Err(Failure::PortTaken) if Instant::now() < deadline => {}
                Err(failure) => panic!("{}", server.report(failure)),
            }
        }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn url(&self) -> String {
        match self.password() {
            Some(password) => format!("redis://:{password}@127.0.0.1:{}", self.port),
            None => format!("redis://127.0.0.1:{}", self.port),
        }
    }

    /// Ends the server with SIGKILL: connections are reset, the port refuses. Killing it again is no error.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("a child may be killed");
            child.wait().expect("a child may be waited for");
        }
    }

    /// Starts the server again on the port it had, empty; kills it first where needed.
    pub(crate) fn restart(&mut self) {
        self.kill();
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.launch() {
                Ok(()) => return,
                Err(Failure::PortTaken) if Instant::now() < deadline => {
                    thread::sleep(Duration::from_millis(20));
                }
                Err(failure) => panic!("{}", self.report(failure)),
            }
        }
    }

    /// Freezes the server with SIGSTOP: connections are accepted by the kernel, and nobody answers.
    pub(crate) fn stop(&self) {
        self.signal(Signal::SIGSTOP);
    }

    /// Lets a stopped server go on; what was sent to it meanwhile is answered now.
    pub(crate) fn resume(&self) {
        self.signal(Signal::SIGCONT);
    }

    /// Runs one command over a connection of its own and gives the answer as any type of the redis
    /// crate's, `redis::Value` for whatever comes.
    ///
    /// # Panics
    ///
    /// When the server refuses the command or does not answer.
    pub(crate) fn cli<T: FromRedisValue>(&self, args: &[&str]) -> T {
        self.try_cli(args).unwrap_or_else(|error| {
            panic!("{} on {}: {error}", args.join(" "), self.flavour.name())
        })
    }

    /// [`Server::cli`] for a command that may be refused.
    pub(crate) fn try_cli<T: FromRedisValue>(&self, args: &[&str]) -> RedisResult<T> {
        let info = self.url().into_connection_info()?;
        // No CLIENT SETINFO: with a monitor running, only the command itself is to be seen.
        let settings = info.redis_settings().clone().set_skip_set_lib_name();
        let client = Client::open(info.set_redis_settings(settings))?;
        let mut connection = client.get_connection_with_timeout(ANSWER_WITHIN)?;
        connection.set_read_timeout(Some(ANSWER_WITHIN))?;
        let (name, rest) = args.split_first().expect("a command has a name");
        redis::cmd(name).arg(rest).query(&mut connection)
    }

    pub(super) fn password(&self) -> Option<&str> {
        let at = self
            .extra_args
            .iter()
            .position(|arg| arg == "--requirepass")?;
        self.extra_args.get(at + 1).map(String::as_str)
    }

    fn launch(&mut self) -> Result<(), Failure> {
        // A fresh log each time: an old line about the port would be taken for news.
        let log = File::create(self.log()).expect("the server's folder is writable");
        let mut command = child::command(self.flavour.binary());
        command
            .args(["--port", &self.port.to_string(), "--bind", "127.0.0.1"])
            .args(["--save", "", "--appendonly", "no", "--dir"])
            .arg(&self.folder)
            .args(&self.extra_args)
            .stdin(Stdio::null())
            .stderr(log.try_clone().expect("a file can be cloned"))
            .stdout(log);
        self.child =
            Some(child::spawn(command).map_err(|error| Failure::Other(error.to_string()))?);
        let outcome = self.await_ready();
        if outcome.is_err() {
            self.kill();
        }
        outcome
    }

    fn await_ready(&mut self) -> Result<(), Failure> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let child = self.child.as_mut().expect("just started");
            let pid = child.id();
            if let Some(status) = child.try_wait().expect("a child may be waited for") {
                // In these words by all three, from `strerror`.
                return Err(if self.log_text().contains("Address already in use") {
                    Failure::PortTaken
                } else {
                    Failure::Other(format!("ended at once with {status}"))
                });
            }
            // More than PING: on a port lost to another test's server, that one would answer.
            let last = match self.try_cli::<String>(&["INFO", "server"]) {
                Ok(info) if info.lines().any(|line| line == format!("process_id:{pid}")) => {
                    return Ok(());
                }
                Ok(_) => "another process answers on its port".to_owned(),
                Err(error) => error.to_string(),
            };
            if Instant::now() >= deadline {
                return Err(Failure::Other(format!(
                    "not ready after {PATIENCE:?}: {last}"
                )));
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    fn signal(&self, signal: Signal) {
        let child = self.child.as_ref().expect("the server was killed");
        let pid = Pid::from_raw(child.id().try_into().expect("a pid fits"));
        signal::kill(pid, signal).expect("a child may be signalled");
    }

    fn report(&self, failure: Failure) -> String {
        let reason = match failure {
            Failure::PortTaken => format!("port {} stays taken", self.port),
            Failure::Other(reason) => reason,
        };
        format!(
            "{} ({}) did not start: {reason}\n--- its log ---\n{}",
            self.flavour.name(),
            self.flavour.binary().display(),
            self.log_text(),
        )
    }

    fn log(&self) -> PathBuf {
        self.folder.join("server.log")
    }

    fn log_text(&self) -> String {
        fs::read_to_string(self.log()).unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
        // What cannot be removed is left in cargo's folder for such things.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

#[derive(Debug)]
enum Failure {
    PortTaken,
    Other(String),
}

fn fresh_folder() -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    loop {
        let name = format!(
            "server-{}-{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        match fs::create_dir(&folder) {
            Ok(()) => return folder,
            // Left by a killed process that had the same id.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => panic!("{}: {error}", folder.display()),
        }
    }
}

/// Each port in turn, so that no test of this process takes the port of another's killed server.
fn free_port() -> u16 {
    // By the process id, so that test processes running side by side seldom meet.
    static NEXT: LazyLock<AtomicU32> =
        LazyLock::new(|| AtomicU32::new(std::process::id().wrapping_mul(97)));
    let count = u32::from(PORTS.end - PORTS.start);
    PORTS
        .map(|_| NEXT.fetch_add(1, Ordering::Relaxed) % count)
        .map(|offset| PORTS.start + u16::try_from(offset).expect("smaller than the range"))
        .find(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok())
        .expect("one of the ports is free")
}
