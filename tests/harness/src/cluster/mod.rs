//! A Redis Cluster that belongs to one test.

mod build;
mod migration;
mod slots;
mod view;

use std::time::Duration;

pub use migration::Migration;
pub use slots::{SLOTS, slot_of};

use super::{server::Server, server_version::ServerVersion, wait};
use view::View;

/// A cluster of masters and their replicas, all on 127.0.0.1. A node counts as failed after one
/// second. With three masters or more, a replica replaces a dead master; fewer masters have no
/// majority for that. While slots have no master, the whole cluster answers `CLUSTERDOWN`, unless
/// an argument says otherwise.
///
/// The nodes are numbered: first the masters in the order of their slots, which they share evenly,
/// then the replicas of the first master, of the second and so on. Every function blocks the
/// thread.
#[derive(Debug)]
pub struct Cluster {
    nodes: Vec<Server>,
    masters: usize,
    replicas_each: usize,
}

impl Cluster {
    /// Starts a cluster. Returns when all nodes report that the cluster is well and every replica
    /// follows its master.
    pub fn start(version: ServerVersion, masters: usize, replicas_each: usize) -> Cluster {
        Cluster::start_with(version, masters, replicas_each, &[])
    }

    /// Starts a cluster with further arguments for every node, such as
    /// `&["--cluster-require-full-coverage", "no"]`.
    pub fn start_with(
        version: ServerVersion,
        masters: usize,
        replicas_each: usize,
        extra_args: &[&str],
    ) -> Cluster {
        let cluster = Cluster {
            nodes: build::nodes(version, masters * (1 + replicas_each), extra_args),
            masters,
            replicas_each,
        };
        cluster.join();
        cluster
    }

    /// A cluster that another process started and keeps. It has masters only.
    pub(super) fn attached(version: ServerVersion, ports: &[u16]) -> Cluster {
        let nodes = ports.iter().map(|port| Server::attached(version, *port));
        Cluster {
            nodes: nodes.collect(),
            masters: ports.len(),
            replicas_each: 0,
        }
    }

    /// The URLs of all nodes, replicas included.
    pub fn urls(&self) -> Vec<String> {
        self.nodes.iter().map(Server::url).collect()
    }

    pub fn node_count(&self) -> usize {
        self.nodes.len()
    }

    pub fn node(&self, index: usize) -> &Server {
        &self.nodes[index]
    }

    /// The indexes of the current masters, as the first running node sees them. Masters without
    /// slots are included.
    pub fn masters(&self) -> Vec<usize> {
        let view = self.some_view();
        let masters = view.nodes.iter().filter(|node| node.is_master());
        masters
            .filter_map(|node| self.index_of(node.port))
            .collect()
    }

    /// The index of the node that owns the slot, as the first running node sees it.
    pub fn master_of_slot(&self, slot: u16) -> usize {
        let view = self.some_view();
        let owner = view.nodes.iter().find(|node| node.owns(slot));
        let port = owner.unwrap_or_else(|| panic!("slot {slot} is nobody's: {view:?}"));
        self.index_of(port.port).expect("the owner is a node")
    }

    pub fn owner_of_key(&self, key: &str) -> usize {
        self.master_of_slot(slot_of(key))
    }

    pub fn kill(&mut self, index: usize) {
        self.nodes[index].kill();
    }

    /// Freezes a node with SIGSTOP.
    pub fn stop(&self, index: usize) {
        self.nodes[index].stop();
    }

    pub fn resume(&self, index: usize) {
        self.nodes[index].resume();
    }

    /// Starts a node again with its cluster configuration but without keys. It comes back in the
    /// role that it had, or as a replica of the node that replaced it.
    pub fn restart(&mut self, index: usize) {
        self.nodes[index].restart();
    }

    /// Fails over by plan: the replica becomes master, and its master becomes its replica.
    pub fn promote(&self, replica: usize, within: Duration) {
        let _: String = self.nodes[replica].cli(&["CLUSTER", "FAILOVER"]);
        self.await_or_panic("the replica to be master", within, || {
            self.agreement()?;
            let masters = self.masters();
            (masters.contains(&replica))
                .then_some(())
                .ok_or_else(|| format!("the masters are {masters:?}"))
        });
    }

    /// Waits until every running node reports the cluster state `ok`, and all of them agree on the
    /// nodes, their roles and the owners of the slots.
    pub fn await_ok(&self, within: Duration) {
        self.await_or_panic("the cluster to be well", within, || self.agreement());
    }

    /// Waits until every running replica follows its master. The master has to run too.
    pub fn await_replicas(&self, within: Duration) {
        self.await_or_panic("the replicas to be linked", within, || {
            for (index, node) in self.living() {
                let link = node.info("master_link_status");
                if link.is_some_and(|status| status != "up") {
                    return Err(format!("{index} is not"));
                }
            }
            Ok(())
        });
    }

    /// Waits until a replica has replaced a master that was killed or stopped, all running nodes
    /// agree on it, and the cluster is well again. Returns the new master's index.
    pub fn await_failover(&self, dead: usize, within: Duration) -> usize {
        let shard = self.shard(dead);
        self.await_or_panic("a new master", within, || {
            self.agreement()?;
            let living: Vec<_> = self.living().map(|(index, _)| index).collect();
            self.masters()
                .into_iter()
                .find(|master| living.contains(master) && self.shard(*master) == shard)
                .ok_or_else(|| format!("nobody for {dead}"))
        })
    }

    /// Moves a slot to another master while the cluster serves requests.
    pub fn migrate_slot(&self, slot: u16, to: usize) {
        self.begin_migration(slot, to).finish();
    }

    /// Opens a slot for migration and leaves it open: its owner answers `ASK` for keys that it does
    /// not have.
    pub fn begin_migration(&self, slot: u16, to: usize) -> Migration<'_> {
        Migration::begin(self, slot, to)
    }

    /// Opens every slot for migration to the next master, and moves no key: existing keys stay with
    /// their owner, and new keys belong to the next master.
    pub fn open_all_slots(&self) {
        migration::open_all_slots(self);
    }

    /// The number of the shard of a node: a master and its replicas. It never changes, because
    /// replicas never move to another master here.
    fn shard(&self, index: usize) -> usize {
        index
            .checked_sub(self.masters)
            .map_or(index, |replica| replica / self.replicas_each)
    }

    fn living(&self) -> impl Iterator<Item = (usize, &Server)> {
        let all = self.nodes.iter().enumerate();
        all.filter(|(_, node)| node.is_up())
    }

    fn index_of(&self, port: u16) -> Option<usize> {
        self.nodes.iter().position(|node| node.port() == port)
    }

    fn some_view(&self) -> View {
        let (_, node) = self.living().next().expect("a node is up");
        View::of(node).unwrap_or_else(|error| panic!("{error}\n{}", node.tail()))
    }

    fn agreement(&self) -> Result<(), String> {
        let mut first = None;
        for (index, server) in self.living() {
            let info: String = server
                .try_cli(&["CLUSTER", "INFO"])
                .map_err(|error| format!("{index}: {error}"))?;
            if !info.contains("cluster_state:ok") {
                return Err(format!("{index} says: {info}"));
            }
            let mut view = View::of(server)?;
            if let Some(missing) = self
                .nodes
                .iter()
                .find(|node| view.node(node.port()).is_none())
            {
                return Err(format!("{index} does not know port {}", missing.port()));
            }
            // Running nodes may disagree about dead ones, as long as those own no slot.
            let ports: Vec<_> = self.living().map(|(_, node)| node.port()).collect();
            view.nodes.retain(|node| ports.contains(&node.port));
            let doubted = |node: &view::Node| node.flags.len() != 1 || node.flags[0] == "handshake";
            if let Some(node) = view.nodes.iter().find(|node| doubted(node)) {
                return Err(format!("{index} says: {node:?}"));
            }
            view.nodes.sort();
            let seen = first.get_or_insert_with(|| view.nodes.clone());
            if *seen != view.nodes {
                return Err(format!("{index} sees {:?}, not {seen:?}", view.nodes));
            }
        }
        Ok(())
    }

    fn await_or_panic<T>(
        &self,
        what: &str,
        within: Duration,
        probe: impl FnMut() -> Result<T, String>,
    ) -> T {
        wait::until(within, probe).unwrap_or_else(|last| {
            let logs: String = self.nodes.iter().map(Server::tail).collect();
            panic!("waited {within:?} for {what}: {last}\n{logs}")
        })
    }
}
