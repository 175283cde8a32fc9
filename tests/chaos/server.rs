//! A single Redis that fails under load.

use std::{thread::sleep, time::Duration};

use super::{
    builder,
    outage::{BACK, OUTAGE, outage, silence},
    outage_scenario::OutageScenario,
    status_counts::StatusCounts,
};
use harness::{Server, ServerVersion};

/// Long enough for the backoff to reach its longest pause.
const LONG_OUTAGE: Duration = Duration::from_secs(6);

/// Makes a failure of this server out of a closure.
fn with(
    mut server: Server,
    trouble: impl FnOnce(&mut Server) + Send + 'static,
) -> impl FnOnce() -> Server + Send + 'static {
    || {
        trouble(&mut server);
        server
    }
}

fn killed_for(time: Duration) -> impl FnOnce(&mut Server) + Send + 'static {
    move |server| {
        server.kill();
        sleep(time);
        server.restart();
    }
}

#[actix_web::test]
async fn killed_and_started_again() {
    for version in ServerVersion::ALL {
        let server = Server::start(version);
        silence(server.url(), BACK, with(server, killed_for(OUTAGE))).await;
    }
}

/// Attempts to connect are seconds apart by then; a new request must not wait for the next.
#[actix_web::test]
async fn killed_for_long() {
    let server = Server::start(ServerVersion::Redis7);
    silence(server.url(), BACK, with(server, killed_for(LONG_OUTAGE))).await;
}

#[actix_web::test]
async fn stopped_and_continued() {
    let server = Server::start(ServerVersion::Redis7);
    let stopped = |server: &mut Server| {
        server.stop();
        sleep(OUTAGE);
        server.resume();
    };
    silence(server.url(), BACK, with(server, stopped)).await;
}

#[actix_web::test]
async fn loading() {
    for version in ServerVersion::ALL {
        let server = Server::start(version);
        let loading = |server: &mut Server| {
            server.restart_loading(OUTAGE);
            server.await_loaded(OUTAGE * 4);
        };
        silence(server.url(), BACK, with(server, loading)).await;
    }
}

#[actix_web::test]
async fn busy() {
    for version in ServerVersion::ALL {
        let server = Server::start(version);
        let busy = |server: &mut Server| {
            let busy = server.busy();
            sleep(OUTAGE);
            drop(busy);
        };
        silence(server.url(), BACK, with(server, busy)).await;
    }
}

/// A check that is denied needs no memory, so a full server still decides it.
#[actix_web::test]
async fn out_of_memory() {
    for version in ServerVersion::ALL {
        let server = Server::start(version);
        let full = |server: &mut Server| {
            server.limit_memory(1);
            sleep(OUTAGE);
            server.limit_memory(0);
        };
        outage(server.url(), BACK, with(server, full)).await;
    }
}

#[actix_web::test]
async fn a_replica_of_one_that_is_gone() {
    let server = Server::start(ServerVersion::Redis7);
    let demoted = |server: &mut Server| {
        let _: String = server.cli(&["REPLICAOF", "127.0.0.1", "1"]);
        sleep(OUTAGE);
        let _: String = server.cli(&["REPLICAOF", "NO", "ONE"]);
    };
    outage(server.url(), BACK, with(server, demoted)).await;
}

/// A replica has its master's counters, refuses only writes, and becomes the master in the end.
#[actix_web::test]
async fn a_replica_that_is_promoted() {
    for version in [ServerVersion::Redis62, ServerVersion::Valkey9] {
        let master = Server::start(version);
        let replica = Server::replica_of(&master);
        let limiter = builder(replica.url()).build().await.unwrap();
        let scenario = OutageScenario::start(&limiter);
        scenario.run(OUTAGE).await;
        let _: String = replica.cli(&["REPLICAOF", "NO", "ONE"]);
        scenario.until_exact(BACK).await;
        let all_counts = scenario.finish(&replica).await;
        assert!(
            StatusCounts::of(&all_counts, "/closed").count(503) > 0,
            "{all_counts:?}"
        );
        assert_eq!(master.clients(), 0);
    }
}
