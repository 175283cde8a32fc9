//! A master with replicas, and the sentinels that watch them.

use std::{
    collections::HashMap,
    thread,
    time::{Duration, Instant},
};

use redis::{RedisResult, Value};

use super::{
    launch::Role,
    replica::{LINKED_WITHIN, follow},
    server::Server,
    server_version::ServerVersion,
    wait,
};

const SERVICE: &str = "throttle-master";
const REPLICAS: usize = 2;
const SENTINELS: usize = 3;
const QUORUM: &str = "2";

/// Bound for the sentinels to find each other. A sentinel announces itself every two seconds,
/// unless it is told otherwise.
const KNOWN_WITHIN: Duration = Duration::from_secs(20);

/// Bound for a planned failover.
const SWITCHED_WITHIN: Duration = Duration::from_secs(20);
/// Pause before a failover is requested again. It is longer than a failover that succeeds takes.
const ASKED_AGAIN: Duration = Duration::from_secs(5);

/// Three sentinels with a quorum of two around a master and two replicas. They consider a master
/// down after 1.5 seconds. Every function blocks the calling thread.
#[derive(Debug)]
pub struct Sentinels {
    servers: Vec<Server>,
    sentinels: Vec<Server>,
}

impl Sentinels {
    /// Starts all servers. Returns when every sentinel knows the replicas and the other sentinels.
    pub fn start(version: ServerVersion) -> Sentinels {
        Sentinels::start_with(version, &[])
    }

    /// Starts all servers, the master and replicas with further arguments.
    pub fn start_with(version: ServerVersion, extra_args: &[&str]) -> Sentinels {
        let extra: Vec<_> = extra_args.iter().map(ToString::to_string).collect();
        let master = Server::start_as(version, Role::Alone, extra.clone());
        let follow = follow(&master);
        let (replicas, sentinels): (Vec<_>, Vec<_>) = thread::scope(|scope| {
            let replica = || {
                let arguments = [&extra[..], &follow].concat();
                let replica = Server::start_as(version, Role::Alone, arguments);
                // A sentinel asks its master for replicas at once, and then not for a while, so a
                // replica has to be linked before.
                replica.await_link(LINKED_WITHIN);
                replica
            };
            let sentinel = || Server::start_as(version, Role::Sentinel, Vec::new());
            let replicas: Vec<_> = (0..REPLICAS).map(|_| scope.spawn(replica)).collect();
            let sentinels: Vec<_> = (0..SENTINELS).map(|_| scope.spawn(sentinel)).collect();
            let join =
                |thread: thread::ScopedJoinHandle<'_, Server>| thread.join().expect("starts");
            (
                replicas.into_iter().map(join).collect(),
                sentinels.into_iter().map(join).collect(),
            )
        });
        let mut servers = vec![master];
        servers.extend(replicas);
        let all = Sentinels { servers, sentinels };
        all.watch();
        all
    }

    /// The URLs of the sentinels.
    pub fn urls(&self) -> Vec<String> {
        self.sentinels.iter().map(Server::url).collect()
    }

    /// The name of the master and its replicas in the sentinels' configuration.
    pub fn service_name(&self) -> &'static str {
        SERVICE
    }

    /// A master or replica. The initial master has index 0.
    pub fn server(&self, index: usize) -> &Server {
        &self.servers[index]
    }

    pub fn sentinel(&mut self, index: usize) -> &mut Server {
        &mut self.sentinels[index]
    }

    /// The index of the current master, as the sentinels report it.
    ///
    /// # Panics
    ///
    /// If the sentinels do not agree; [`Sentinels::await_master`] waits until they do.
    pub fn master(&self) -> usize {
        self.named_master()
            .unwrap_or_else(|reason| panic!("{reason}\n{}", self.tails()))
    }

    /// Kills the current master and returns its index.
    pub fn kill_master(&mut self) -> usize {
        let master = self.master();
        self.servers[master].kill();
        master
    }

    /// Freezes the current master and returns its index.
    pub fn stop_master(&self) -> usize {
        let master = self.master();
        self.servers[master].stop();
        master
    }

    pub fn resume(&self, index: usize) {
        self.servers[index].resume();
    }

    /// Starts a server again. If there is another master by now, call [`Sentinels::await_replica`]
    /// next.
    pub fn restart(&mut self, index: usize) {
        self.servers[index].restart();
    }

    /// Fails over by plan and returns the new master's index. The old master stays up and accepts
    /// writes for a while, until [`Sentinels::await_replica`].
    pub fn failover(&self) -> usize {
        let old = self.master();
        let mut asked: Option<Instant> = None;
        wait::until(SWITCHED_WITHIN, || {
            let switched = self.other_master(old);
            if switched.is_ok() || asked.is_some_and(|asked| asked.elapsed() < ASKED_AGAIN) {
                return switched;
            }
            // The command is refused while the sentinel has no fresh news of a replica, and while
            // another failover is in progress. A failover is abandoned if another sentinel has not
            // heard of it yet and turns the promoted replica back.
            let outcome: RedisResult<Value> =
                self.sentinels[0].try_cli(&["SENTINEL", "FAILOVER", SERVICE]);
            outcome.map_err(|error| error.to_string())?;
            asked = Some(Instant::now());
            switched
        })
        .unwrap_or_else(|last| panic!("no failover: {last}\n{}", self.tails()))
    }

    /// Waits until this server replicates the master. The sentinels of Redis 6.2 take some 20
    /// seconds to reconfigure an old master, those of the other versions about one.
    pub fn await_replica(&self, index: usize, within: Duration) {
        self.servers[index].await_link(within);
    }

    /// Waits until the running sentinels agree on another master, and that server reports the role
    /// too. Returns its index.
    pub fn await_master(&self, other_than: usize, within: Duration) -> usize {
        wait::until(within, || self.other_master(other_than)).unwrap_or_else(|last| {
            panic!(
                "no master but {other_than} after {within:?}: {last}\n{}",
                self.tails()
            )
        })
    }

    fn other_master(&self, other_than: usize) -> Result<usize, String> {
        let master = self.named_master()?;
        if master == other_than {
            return Err(format!("{master} is the master still"));
        }
        match self.servers[master].info("role").as_deref() {
            Some("master") => Ok(master),
            role => Err(format!("{master} is a {role:?}")),
        }
    }

    fn named_master(&self) -> Result<usize, String> {
        let mut named = Vec::new();
        for sentinel in self.sentinels.iter().filter(|sentinel| sentinel.is_up()) {
            let answer: RedisResult<(String, u16)> =
                sentinel.try_cli(&["SENTINEL", "GET-MASTER-ADDR-BY-NAME", SERVICE]);
            named.push(answer.map_err(|error| error.to_string())?.1);
        }
        named.dedup();
        let [port] = named[..] else {
            return Err(format!("the sentinels name the ports {named:?}"));
        };
        self.servers
            .iter()
            .position(|server| server.port() == port)
            .ok_or_else(|| format!("the sentinels name port {port}, which is nobody's"))
    }

    fn watch(&self) {
        let port = self.servers[0].port().to_string();
        for sentinel in &self.sentinels {
            // Redis 6.2 does not know these settings; its sentinels find each other somewhat later.
            let periods = ["publish-period", "100", "info-period", "500"];
            let _ = sentinel.try_cli::<Value>(&[&["SENTINEL", "DEBUG"], &periods[..]].concat());
            let _: String =
                sentinel.cli(&["SENTINEL", "MONITOR", SERVICE, "127.0.0.1", &port, QUORUM]);
            for (option, value) in [
                // 1.5 seconds: on a busy machine, a live master may be slow to answer.
                ("down-after-milliseconds", "1500"),
                ("failover-timeout", "2000"),
                ("parallel-syncs", "2"),
            ] {
                let _: String = sentinel.cli(&["SENTINEL", "SET", SERVICE, option, value]);
            }
        }
        let known = wait::until(KNOWN_WITHIN, || {
            for sentinel in &self.sentinels {
                let state: HashMap<String, String> = sentinel.cli(&["SENTINEL", "MASTER", SERVICE]);
                let count = |field: &str| state[field].parse().unwrap_or(0);
                let counts = (count("num-slaves"), count("num-other-sentinels"));
                if counts != (REPLICAS, SENTINELS - 1) || state["flags"] != "master" {
                    return Err(format!("{counts:?}, {}", state["flags"]));
                }
            }
            Ok(())
        });
        if let Err(last) = known {
            panic!(
                "the sentinels do not know all after {KNOWN_WITHIN:?}: {last}\n{}",
                self.tails()
            );
        }
    }

    fn tails(&self) -> String {
        let all = self.sentinels.iter().chain(&self.servers);
        all.map(Server::tail).collect()
    }
}
