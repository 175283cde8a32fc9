//! The servers that all tests share that do not harm them.
//!
//! With cargo-nextest each test is a process of its own, so a set-up script starts them once for the
//! whole run and exports their ports. Without it, each test binary starts those that it asks for.

use std::{env, sync::OnceLock, thread, time::Duration};

use crate::{Cluster, Server, ServerVersion};

/// Masters of a shared cluster.
const MASTERS: usize = 3;

/// How often the keeper of the servers looks whether the run goes on.
const PAUSE: Duration = Duration::from_millis(200);

/// One server of each version for all tests that do not harm it.
pub fn shared(version: ServerVersion) -> &'static Server {
    static SERVERS: [OnceLock<Server>; ServerVersion::ALL.len()] = [const { OnceLock::new() }; 3];
    SERVERS[index(version)].get_or_init(|| match exported(&single(version)) {
        Some(ports) => Server::attached(version, ports[0]),
        None => Server::start(version),
    })
}

/// One cluster of three masters for all tests that do not harm it.
pub fn shared_cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(|| match exported(CLUSTER_PORTS) {
        Some(ports) => Cluster::attached(CLUSTER_VERSION, &ports),
        None => Cluster::start(CLUSTER_VERSION, MASTERS, 0),
    })
}

/// One cluster of each version in which all slots are being moved and none ever arrives.
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

/// The ports in this variable.
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

/// All servers that tests share, from [`SharedServers::start`] until it is dropped.
#[derive(Debug)]
pub struct SharedServers {
    singles: Vec<Server>,
    cluster: Option<Cluster>,
    open_slots: Vec<(ServerVersion, Cluster)>,
}

impl SharedServers {
    /// Starts them side by side: a node of a cluster waits two seconds before it takes part.
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

    /// No more than a quick run needs.
    pub fn start_few() -> Self {
        Self {
            singles: vec![Server::start(ServerVersion::Redis7)],
            cluster: None,
            open_slots: Vec::new(),
        }
    }

    /// The variables that tell tests where they are, one a line.
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

    /// Keeps them as long as this process is there.
    pub fn keep_while_alive(self, process: u32) {
        let process = i32::try_from(process).expect("a process id");
        let process = nix::unistd::Pid::from_raw(process);
        // Signal 0 asks whether there is one, and does nothing to it.
        while nix::sys::signal::kill(process, None).is_ok() {
            thread::sleep(PAUSE);
        }
    }
}
