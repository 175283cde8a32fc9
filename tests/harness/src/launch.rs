//! The start of a server process, and the check that it is ready.

use std::{
    fs::{self, File},
    path::PathBuf,
    process::Stdio,
    thread,
    time::{Duration, Instant},
};

use super::{
    child,
    ports::{SECOND, free_pair, free_port, fresh_folder},
    server::Server,
    server_version::ServerVersion,
};

/// Bound for a server to become ready. A start takes some ten milliseconds on an idle machine.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// The number of log lines that a failure shows.
const TAIL: usize = 30;

/// The purpose of a server process. It decides the ports and the arguments that precede a test's
/// own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Alone,
    /// Listens on a unix socket too.
    Socket,
    /// A cluster node, with the cluster bus on the second port.
    ClusterNode,
    Sentinel,
    /// TLS on the second port. The first port stays plain, for the harness.
    Tls,
}

impl Role {
    fn has_second_port(self) -> bool {
        matches!(self, Role::ClusterNode | Role::Tls)
    }
}

pub(super) enum Failure {
    PortTaken,
    Other(String),
}

impl Server {
    /// Starts a new server. Every other `start` function calls it.
    pub(super) fn start_as(version: ServerVersion, role: Role, extra_args: Vec<String>) -> Server {
        let mut server = Server::unstarted(version, role, extra_args, fresh_folder());
        let deadline = Instant::now() + LONGEST_WAIT;
        loop {
            let port = if role.has_second_port() {
                free_pair()
            } else {
                free_port()
            };
            server.port = port.number;
            server.reservation = Some(port);
            match server.launch() {
                Ok(()) => return server,
                // Another process took the port in the meantime; the next port will do.
                Err(Failure::PortTaken) if Instant::now() < deadline => {}
                Err(failure) => panic!("{}", server.report(failure)),
            }
        }
    }

    /// Starts the server again on its port. The kernel may take a moment to release the port.
    pub(super) fn relaunch(&mut self) {
        let deadline = Instant::now() + LONGEST_WAIT;
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

    fn launch(&mut self) -> Result<(), Failure> {
        // A new log file for each start: an old line about the port would be misread otherwise.
        let log = File::create(self.log()).expect("the server's folder is writable");
        let mut command = child::command(self.version.binary());
        command
            .args(self.arguments())
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

    fn arguments(&self) -> Vec<String> {
        let mut arguments = Vec::new();
        let mut add = |more: &[&str]| arguments.extend(more.iter().map(ToString::to_string));
        if self.role == Role::Sentinel {
            // A sentinel needs a file for its state. It starts empty; all settings come from
            // commands.
            let file = self.folder.join("sentinel.conf");
            if !file.exists() {
                fs::write(&file, "").expect("the server's folder is writable");
            }
            add(&[&file.to_string_lossy(), "--sentinel"]);
        }
        let second = (self.port + SECOND * u16::from(self.role.has_second_port())).to_string();
        add(&["--port", &self.port.to_string(), "--bind", "127.0.0.1"]);
        add(&["--dir", &self.folder.to_string_lossy()]);
        if self.role != Role::Sentinel {
            add(&["--save", "", "--appendonly", "no"]);
            // Replication through a file. A diskless master waits five seconds for further
            // replicas, and then up to a second until the replica reports, before it sends
            // anything.
            add(&["--repl-diskless-sync", "no"]);
        }
        match self.role {
            Role::Alone | Role::Sentinel => {}
            Role::Socket => add(&["--unixsocket", &self.socket().to_string_lossy()]),
            Role::ClusterNode => add(&["--cluster-enabled", "yes"]),
            Role::Tls => add(&["--tls-port", &second]),
        }
        arguments
    }

    fn await_ready(&mut self) -> Result<(), Failure> {
        let deadline = Instant::now() + LONGEST_WAIT;
        loop {
            let child = self.child.as_mut().expect("just started");
            let pid = child.id();
            if let Some(status) = child.try_wait().expect("a child may be waited for") {
                // All three servers print this text; it comes from `strerror`.
                return Err(if self.log_text().contains("Address already in use") {
                    Failure::PortTaken
                } else {
                    Failure::Other(format!("ended at once with {status}"))
                });
            }
            // `INFO` and not `PING`: if another test's server took the port, that server would
            // answer.
            let last = match self.try_cli::<String>(&["INFO", "server"]) {
                Ok(info) if info.lines().any(|line| line == format!("process_id:{pid}")) => {
                    return Ok(());
                }
                Ok(_) => "another process answers on its port".to_owned(),
                // A test may have renamed the command away; the log then tells that the server is
                // ready.
                Err(error) if error.to_string().contains("unknown command") => {
                    let is_ready = self.log_text().contains("Ready to accept connections");
                    if is_ready {
                        return Ok(());
                    }
                    error.to_string()
                }
                Err(error) => error.to_string(),
            };
            if Instant::now() >= deadline {
                return Err(Failure::Other(format!(
                    "not ready after {LONGEST_WAIT:?}: {last}"
                )));
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    fn report(&self, failure: Failure) -> String {
        let reason = match failure {
            Failure::PortTaken => format!("port {} stays taken", self.port),
            Failure::Other(reason) => reason,
        };
        format!("{} did not start: {reason}\n{}", self.name(), self.tail())
    }

    /// The end of the server's log under a title, for the message of a failure.
    pub(super) fn tail(&self) -> String {
        let text = self.log_text();
        let lines: Vec<_> = text.lines().collect();
        let tail = lines[lines.len().saturating_sub(TAIL)..].join("\n");
        format!("--- the log of {} ---\n{tail}\n", self.name())
    }

    fn name(&self) -> String {
        let (name, binary) = (self.version.name(), self.version.binary());
        format!(
            "{name} on port {} ({}, {:?})",
            self.port,
            binary.display(),
            self.role
        )
    }

    fn log(&self) -> PathBuf {
        self.folder.join("server.log")
    }

    /// The log of the server since its last start.
    pub fn log_text(&self) -> String {
        fs::read_to_string(self.log()).unwrap_or_default()
    }
}
