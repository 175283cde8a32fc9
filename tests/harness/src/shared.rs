//! Servers that all tests share. A test that stops, fills or reconfigures a server needs one of its
//! own.
//!
//! With cargo-nextest each test is a process of its own, so a set-up script starts the servers once
//! for the whole run and exports their ports. Without it, each test binary starts the servers that
//! it asks for.

use std::{env, sync::OnceLock, thread, time::Duration};

use crate::{Cluster, Server, ServerVersion};

/// The number of masters of a shared cluster.
const MASTERS: usize = 3;

/// The interval at which the supervisor of the servers checks that the run is still alive.
const PAUSE: Duration = Duration::from_millis(200);

/// The shared server of a version, for tests that do not harm it.
pub fn shared(version: ServerVersion) -> &'static Server {
    static SERVERS: [OnceLock<Server>; ServerVersion::ALL.len()] = [const { OnceLock::new() }; 3];
    SERVERS[index(version)].get_or_init(|| match exported(&single(version)) {
        Some(ports) => Server::attached(version, ports[0]),
        None => Server::start(version),
    })
}

/// The shared cluster of three masters, for tests that do not harm it.
pub fn shared_cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(|| match exported(CLUSTER_PORTS) {
        Some(ports) => Cluster::attached(CLUSTER_VERSION, &ports),
        None => Cluster::start(CLUSTER_VERSION, MASTERS, 0),
    })
}

/// The shared cluster of a version in which every slot is being migrated and no migration ends.
pub fn cluster_of_open_slots(version: ServerVersion) -> &'static Cluster {
    static CLUSTERS: [OnceLock<Cluster>; ServerVersion::ALL.len()] = [const { OnceLock::new() }; 3];
    CLUSTERS[index(version)].get_or_init(|| match exported(&open_slots(version)) {
        Some(ports) => Cluster::attached(version, &ports),
        None => start_with_open_slots(version),
    })
}

const CLUSTER_VERSION: ServerVersion = ServerVersion::Redis7;
const CLUSTER_PORTS: &str = "THROTTLE_TEST_SHARED_CLUSTER";

fn single(version: ServerVersion) -> String {
    format!("THROTTLE_TEST_SHARED_{}", version.shout())
}

fn open_slots(version: ServerVersion) -> String {
    format!("THROTTLE_TEST_SHARED_OPEN_SLOTS_{}", version.shout())
}

/// The ports in this environment variable.
fn exported(variable: &str) -> Option<Vec<u16>> {
    let text = env::var(variable).ok()?;
    let ports = text
        .split(' ')
        .map(|port| port.parse().expect("a port number"));
    Some(ports.collect())
}

fn index(version: ServerVersion) -> usize {
    let index = ServerVersion::ALL
        .iter()
        .position(|other| *other == version);
    index.expect("one of all")
}

fn start_with_open_slots(version: ServerVersion) -> Cluster {
    let cluster = Cluster::start(version, MASTERS, 0);
    cluster.open_all_slots();
    cluster
}

/// All servers that tests share. They end when this value is dropped.
#[derive(Debug)]
pub struct SharedServers {
    singles: Vec<Server>,
    cluster: Option<Cluster>,
    open_slots: Vec<(ServerVersion, Cluster)>,
}

impl SharedServers {
    /// Starts all servers in parallel, because a cluster node takes no part in its first two
    /// seconds.
    pub fn start() -> Self {
        thread::scope(|scope| {
            let cluster = scope.spawn(|| Cluster::start(CLUSTER_VERSION, MASTERS, 0));
            let open_slots = ServerVersion::ALL
                .map(|version| scope.spawn(move || (version, start_with_open_slots(version))));
            Self {
                singles: ServerVersion::ALL.map(Server::start).into(),
                cluster: Some(cluster.join().expect("a cluster")),
                open_slots: open_slots
                    .map(|thread| thread.join().expect("a cluster"))
                    .into(),
            }
        })
    }

    /// Starts only the servers that a quick run needs.
    pub fn start_few() -> Self {
        Self {
            singles: vec![Server::start(ServerVersion::Redis7)],
            cluster: None,
            open_slots: Vec::new(),
        }
    }

    /// The environment variables that tell tests the ports, one a line.
    pub fn variables(&self) -> String {
        let ports = |cluster: &Cluster| {
            let ports = (0..cluster.node_count()).map(|node| cluster.node(node).port().to_string());
            ports.collect::<Vec<_>>().join(" ")
        };
        let mut lines = String::new();
        if let Some(cluster) = &self.cluster {
            lines += &format!("{CLUSTER_PORTS}={}\n", ports(cluster));
        }
        for server in &self.singles {
            lines += &format!("{}={}\n", single(server.version()), server.port());
        }
        for (version, cluster) in &self.open_slots {
            lines += &format!("{}={}\n", open_slots(*version), ports(cluster));
        }
        lines
    }

    /// Keeps the servers until the process with this id ends.
    pub fn keep_while_alive(self, process: u32) {
        let process = i32::try_from(process).expect("a process id");
        let process = nix::unistd::Pid::from_raw(process);
        // Signal 0 only checks that the process exists.
        while nix::sys::signal::kill(process, None).is_ok() {
            thread::sleep(PAUSE);
        }
    }
}
