//! Tests of the life of worker connections and their reconnect tasks.

use std::{sync::Arc, time::Duration};

use actix_throttle_core::key::Naming;

use super::*;
use crate::engine::{
    observe::Observers,
    store::{
        circuit_breaker::{Circuit, CircuitSettings},
        key_hash::KeyHasher,
        redis::pool_for,
    },
};

fn on_a_runtime(test: impl AsyncFnOnce(&Handle)) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime can be built");
    runtime.block_on(test(runtime.handle()));
}

/// Connections to a port at which no server listens.
fn connections() -> WorkerConnections {
    let pool = pool_for("redis://127.0.0.1:1").expect("a URL");
    let deadline = Duration::from_millis(100);
    let settings = CircuitSettings {
        threshold: 3,
        recovery: Duration::from_secs(30),
        deadline,
        verification: pool.verification(deadline),
    };
    let circuit = Circuit::new(settings, Observers::default());
    WorkerConnections::new(Arc::new(Upkeep {
        pool,
        circuit: Arc::new(circuit),
        naming: Naming {
            prefix: "throttle".into(),
            plain: false,
        },
        hasher: KeyHasher::new(),
        deadline,
    }))
}

#[test]
fn connections_of_runtimes_that_have_ended_are_forgotten() {
    let connections = connections();
    for _ in 0..10 {
        on_a_runtime(async |runtime| {
            assert!(connections.of(runtime).checkout().await.is_err());
            assert_eq!(connections.all.lock().len(), 1);
        });
    }
}

#[test]
fn reconnect_task_ends_with_its_connection() {
    on_a_runtime(async |runtime| {
        for closes in [true, false] {
            let connections = connections();
            let connection = connections.of(runtime);
            assert!(connection.checkout().await.is_err());
            let task = connection.reconnect_task.get().expect("started").clone();
            drop(connection);
            assert!(!task.is_finished());
            if closes {
                connections.close();
            }
            drop(connections);
            tokio::task::yield_now().await;
            assert!(task.is_finished());
        }
    });
}

#[test]
fn calls_are_overtaken_up_to_limit_and_again_once_over() {
    on_a_runtime(async |runtime| {
        let connections = connections();
        let connection = connections.of(runtime);
        for _ in 0..3 {
            let overtaken: Vec<_> = (0..MOST_OVERLAPS).map(|_| connection.overlap()).collect();
            assert!(overtaken.iter().all(Option::is_some));
            for _ in 0..3 {
                assert!(connection.overlap().is_none());
            }
        }
    });
}
