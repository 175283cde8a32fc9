//! Administrative commands to Redis under load.

use std::time::Duration;

use super::{
    builder,
    outage::BACK,
    outage_scenario::{CLIENTS, OutageScenario},
    status_counts::StatusCounts,
};
use harness::{Server, ServerVersion};

const OFTEN: usize = 8;

/// Runs the command repeatedly under load. Only the status counts may show an effect.
async fn again_and_again(
    version: ServerVersion,
    command: &'static [&'static str],
) -> Vec<StatusCounts> {
    let server = Server::start(version);
    // A long deadline: late responses of a busy machine are not tested here.
    let patient = builder(server.url()).deadline(Duration::from_secs(5));
    // No denial cache: each request must reach Redis, denied ones too.
    let patient = patient.denial_cache(Duration::ZERO);
    let limiter = patient.build().await.unwrap();
    let scenario = OutageScenario::start(&limiter);
    scenario.until_exact(BACK).await;
    let server = tokio::task::spawn_blocking(move || {
        for _ in 0..OFTEN {
            std::thread::sleep(Duration::from_millis(120));
            let _: redis::Value = server.cli(command);
        }
        server
    });
    let server = server.await.unwrap();
    scenario.until_exact(BACK).await;
    scenario.finish(&server).await
}

fn decided(all_counts: &[StatusCounts], quota: impl Fn(&StatusCounts) -> usize) {
    for counts in all_counts {
        assert_eq!(counts.count(503), 0, "{counts:?}");
        assert!(counts.regular(200) <= quota(counts), "{counts:?}");
    }
}

#[actix_web::test]
async fn scripts_that_are_forgotten_are_sent_again() {
    for version in ServerVersion::ALL {
        let all_counts = again_and_again(version, &["SCRIPT", "FLUSH"]).await;
        decided(&all_counts, StatusCounts::quota);
    }
}

#[actix_web::test]
async fn counters_that_are_forgotten_begin_anew() {
    let all_counts = again_and_again(ServerVersion::Redis7, &["FLUSHALL"]).await;
    decided(&all_counts, |counts| counts.quota() * (OFTEN + 1));
    for counts in &all_counts {
        assert!(counts.regular(200) > counts.quota(), "{counts:?}");
    }
}

#[actix_web::test]
async fn connections_that_are_killed_cost_what_was_under_way() {
    for version in ServerVersion::ALL {
        let kill = &["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"];
        let all_counts = again_and_again(version, kill).await;
        let undecided = StatusCounts::of(&all_counts, "/closed").count(503);
        assert!(undecided <= OFTEN * CLIENTS, "{all_counts:?}");
        let local = StatusCounts::of(&all_counts, "/local");
        assert!(local.regular(200) <= local.quota(), "{all_counts:?}");
        let open = StatusCounts::of(&all_counts, "/open");
        assert!(
            open.regular(200) <= open.quota() + OFTEN * CLIENTS,
            "{all_counts:?}"
        );
    }
}
