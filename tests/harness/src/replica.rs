//! A server that replicates another one.

use std::time::Duration;

use super::{launch::Role, server::Server, wait};

/// Bound for a replica to catch up with its master. A rejected replica retries once a second.
pub(super) const LINKED_WITHIN: Duration = Duration::from_secs(10);

impl Server {
    /// Starts a server of the same version that replicates this master and refuses writes. Returns
    /// when its link is up.
    pub fn replica_of(master: &Server) -> Server {
        let mut arguments = follow(master).to_vec();
        if let Some(password) = master.password() {
            for name in ["--masterauth", "--requirepass"] {
                arguments.extend([name.to_owned(), password.to_owned()]);
            }
        }
        let replica = Server::start_as(master.version(), Role::Alone, arguments);
        replica.await_link(LINKED_WITHIN);
        replica
    }

    /// Waits until this replica has everything that its master has run so far. Without that, a
    /// write may be lost when the replica replaces the master.
    pub fn await_caught_up(&self, master: &Server) {
        let offset = |server: &Server, field: &str| -> u64 {
            let text = server.info(field).unwrap_or_default();
            text.parse().unwrap_or(0)
        };
        let wanted = offset(master, "master_repl_offset");
        let caught_up = wait::until(LINKED_WITHIN, || {
            let here = offset(self, "slave_repl_offset");
            if here >= wanted {
                return Ok(());
            }
            Err(format!("{here} of {wanted}"))
        });
        if let Err(last) = caught_up {
            panic!("behind after {LINKED_WITHIN:?}: {last}\n{}", self.tail());
        }
    }

    /// Waits until the first synchronization with the master is complete.
    pub(super) fn await_link(&self, within: Duration) {
        let linked = wait::until(within, || {
            let status = self.info("master_link_status");
            if status.as_deref() == Some("up") {
                Ok(())
            } else {
                Err(format!("{status:?}"))
            }
        });
        if let Err(last) = linked {
            panic!(
                "no link to the master after {within:?}: {last}\n{}",
                self.tail()
            );
        }
    }
}

/// The arguments that make a server a replica.
pub(super) fn follow(master: &Server) -> [String; 3] {
    // Three words: Redis 6.2 does not accept host and port in one.
    ["--replicaof", "127.0.0.1", &master.port().to_string()].map(str::to_owned)
}
