//! How a server process is started, and how it is known to be up.

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

/// For a server to be ready; a start takes some ten milliseconds on an idle machine.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a log is shown of when something fails.
const TAIL: usize = 30;

/// What a process is for: that decides its ports and the arguments that come before a test's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Alone,
    /// Listens on a unix socket too.
    Socket,
    /// With the cluster's bus on the second port.
    ClusterNode,
    Sentinel,
    /// With TLS on the second port, and none on the first, which is the harness's.
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
    /// The one way to a new server.
    pub(super) fn start_as(version: ServerVersion, role: Role, extra_args: Vec<String>) -> Server {
        let mut server = Server::unstarted(version, role, extra_args, fresh_folder());
        let deadline = Instant::now() + PATIENCE;
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
                // Another process was faster to take the port; the next is as good.
                Err(Failure::PortTaken) if Instant::now() < deadline => {}
                Err(failure) => panic!("{}", server.report(failure)),
            }
        }
    }

    /// On the port it had, which the kernel may take a moment to give back.
    pub(super) fn relaunch(&mut self) {
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

    fn launch(&mut self) -> Result<(), Failure> {
        // A fresh log each time: an old line about the port would be taken for news.
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
            // A sentinel insists on a file, where it keeps what it learns; it learns all from commands.
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
            // Without the file in between, the master would wait five seconds for further replicas, and
            // then with what it has to send until the replica speaks up, as late as a second later.
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
                // Started without the command; its own log says as much.
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
                    "not ready after {PATIENCE:?}: {last}"
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

    /// The end of its log under a title, for the message of a failure.
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

    /// What it has written since it was started last.
    pub fn log_text(&self) -> String {
        fs::read_to_string(self.log()).unwrap_or_default()
    }
}
