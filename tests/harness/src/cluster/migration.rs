//! The migration of a slot from one master to another, step by step. Tests use it to see `ASK` and
//! `MOVED` redirections.

use std::time::Duration;

use super::{Cluster, SLOTS};
use crate::Server;

/// Bound for all nodes to learn the new owner of the slot.
const TOLD_WITHIN: Duration = Duration::from_secs(10);

/// A slot that is being migrated, from [`Cluster::begin_migration`] to [`Migration::finish`]. When
/// it is dropped before, the slot stays open.
#[derive(Debug)]
pub struct Migration<'a> {
    cluster: &'a Cluster,
    slot: String,
    from: usize,
    to: usize,
}

impl<'a> Migration<'a> {
    pub(super) fn begin(cluster: &'a Cluster, slot: u16, to: usize) -> Migration<'a> {
        let migration = Migration {
            cluster,
            slot: slot.to_string(),
            from: cluster.master_of_slot(slot),
            to,
        };
        assert_ne!(migration.from, to, "the slot is there already");
        // `IMPORTING` comes first: the new owner would send a redirected client back otherwise.
        migration.set(to, &["IMPORTING", &id(cluster.node(migration.from))]);
        migration.set(migration.from, &["MIGRATING", &id(cluster.node(to))]);
        migration
    }

    /// The index of the node that owns the slot until the migration is finished.
    pub fn from(&self) -> usize {
        self.from
    }

    /// Moves one existing key to the new owner.
    pub fn move_key(&self, key: &str) {
        let port = self.cluster.node(self.to).port().to_string();
        let command = ["MIGRATE", "127.0.0.1", &port, key, "0", "5000"];
        let done: String = self.cluster.node(self.from).cli(&command);
        assert_eq!(done, "OK", "{key}");
    }

    /// The keys that are still on the old owner, at most 100 of them.
    pub fn keys_left(&self) -> Vec<String> {
        let from = self.cluster.node(self.from);
        from.cli(&["CLUSTER", "GETKEYSINSLOT", &self.slot, "100"])
    }

    /// Moves all existing keys to the new owner. From then on the old owner answers `ASK` for them.
    pub fn move_keys(&self) {
        let from = self.cluster.node(self.from);
        let port = self.cluster.node(self.to).port().to_string();
        loop {
            let keys = self.keys_left();
            if keys.is_empty() {
                return;
            }
            let command = ["MIGRATE", "127.0.0.1", &port, "", "0", "5000", "KEYS"].into_iter();
            let keys = keys.iter().map(String::as_str);
            let _: String = from.cli(&command.chain(keys).collect::<Vec<_>>());
        }
    }

    /// Moves the remaining keys and hands the slot over. Returns when every node knows the new
    /// owner.
    pub fn finish(self) {
        self.move_keys();
        let owner = id(self.cluster.node(self.to));
        // The new owner learns it first: the slot would have no owner for a moment otherwise.
        self.set(self.to, &["NODE", &owner]);
        self.set(self.from, &["NODE", &owner]);
        let living: Vec<_> = self.cluster.living().map(|(index, _)| index).collect();
        for master in self.cluster.masters() {
            if ![self.to, self.from].contains(&master) && living.contains(&master) {
                self.set(master, &["NODE", &owner]);
            }
        }
        self.cluster.await_ok(TOLD_WITHIN);
    }

    fn set(&self, node: usize, what: &[&str]) {
        let command = [&["CLUSTER", "SETSLOT", &self.slot], what].concat();
        let _: String = self.cluster.node(node).cli(&command);
    }
}

pub(super) fn open_all_slots(cluster: &Cluster) {
    let view = cluster.some_view();
    let owner = |slot| {
        let node = view.nodes.iter().find(|node| node.owns(slot))?;
        cluster.index_of(node.port)
    };
    let ids: Vec<_> = (0..cluster.masters)
        .map(|master| id(cluster.node(master)))
        .collect();
    let mut commands: Vec<_> = ids.iter().map(|_| redis::pipe()).collect();
    for slot in 0..SLOTS {
        let from = owner(slot).expect("every slot has an owner");
        let to = (from + 1) % cluster.masters;
        for (node, state, other) in [(to, "IMPORTING", from), (from, "MIGRATING", to)] {
            let command = commands[node].cmd("CLUSTER").arg("SETSLOT").arg(slot);
            command.arg(state).arg(&ids[other]).ignore();
        }
    }
    for (node, commands) in commands.into_iter().enumerate() {
        let client = redis::Client::open(cluster.node(node).url()).expect("a URL");
        let mut connection = client.get_connection().expect("a connection");
        commands.exec(&mut connection).expect("slots may be opened");
    }
}

fn id(server: &Server) -> String {
    server.cli(&["CLUSTER", "MYID"])
}
