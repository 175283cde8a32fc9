//! Forms a cluster from single nodes, without redis-cli. Only [`Cluster::start_with`] uses it.

use std::{thread, time::Duration};

use redis::RedisResult;

use super::{Cluster, SLOTS};
use crate::{Server, ServerVersion, launch::Role};

/// Bound for the nodes to join. A node takes no part in its first two seconds.
const JOINED_WITHIN: Duration = Duration::from_secs(20);

const OPTIONS: [&str; 10] = [
    // Milliseconds of silence after which a node counts as failed.
    "--cluster-node-timeout",
    "1000",
    // A replica may take over however long it had no link to its master.
    "--cluster-replica-validity-factor",
    "0",
    // Replicas stay with the master that they were given.
    "--cluster-allow-replica-migration",
    "no",
    "--repl-ping-replica-period",
    "1",
    "--cluster-config-file",
    "nodes.conf",
];

/// Starts all nodes in parallel, because each of them takes a while.
pub(super) fn nodes(version: ServerVersion, count: usize, extra_args: &[&str]) -> Vec<Server> {
    let arguments: Vec<_> = OPTIONS
        .iter()
        .chain(extra_args)
        .map(ToString::to_string)
        .collect();
    thread::scope(|scope| {
        let start = || Server::start_as(version, Role::ClusterNode, arguments.clone());
        let threads: Vec<_> = (0..count).map(|_| scope.spawn(start)).collect();
        let join = |thread: thread::ScopedJoinHandle<'_, Server>| thread.join().expect("starts");
        threads.into_iter().map(join).collect()
    })
}

impl Cluster {
    pub(super) fn join(&self) {
        let share = |index: usize| index * usize::from(SLOTS) / self.masters;
        for (index, node) in self.nodes[..self.masters].iter().enumerate() {
            // The epoch can only be set before the node knows any other node.
            let epoch = (index + 1).to_string();
            let _: String = node.cli(&["CLUSTER", "SET-CONFIG-EPOCH", &epoch]);
            let slots = (share(index)..share(index + 1)).map(|slot| slot.to_string());
            // Slots one by one: Redis 6.2 has no `CLUSTER ADDSLOTSRANGE`.
            let slots: Vec<_> = slots.collect();
            let command = ["CLUSTER", "ADDSLOTS"].into_iter();
            let _: String = node.cli(
                &command
                    .chain(slots.iter().map(String::as_str))
                    .collect::<Vec<_>>(),
            );
        }
        for (index, node) in self.nodes.iter().enumerate() {
            // Every node meets every other one directly; waiting for gossip takes longer.
            for other in &self.nodes[index + 1..] {
                let port = other.port().to_string();
                let _: String = node.cli(&["CLUSTER", "MEET", "127.0.0.1", &port]);
            }
        }
        for replica in self.masters..self.nodes.len() {
            let master: String = self.nodes[self.shard(replica)].cli(&["CLUSTER", "MYID"]);
            self.await_or_panic("a replica to know its master", JOINED_WITHIN, || {
                let outcome: RedisResult<String> =
                    self.nodes[replica].try_cli(&["CLUSTER", "REPLICATE", &master]);
                outcome.map(drop).map_err(|error| error.to_string())
            });
        }
        self.await_ok(JOINED_WITHIN);
        self.await_replicas(JOINED_WITHIN);
    }
}
