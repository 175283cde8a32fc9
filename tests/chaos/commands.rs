//! What operators do to a server in the middle of load.

use std::time::Duration;

use super::{
    builder,
    outage::BACK,
    scene::{CLIENTS, Scene},
    tally::Tally,
};
use harness::{Flavour, Server};

const OFTEN: usize = 8;

/// Runs the command again and again under load. Nothing is to be seen of it but what the tallies say.
async fn again_and_again(flavour: Flavour, command: &'static [&'static str]) -> Vec<Tally> {
    let server = Server::start(flavour);
    // Late answers of a busy machine are not what this is about.
    let patient = builder(server.url()).deadline(Duration::from_secs(5));
    // And each request is to meet the server, denied ones too.
    let patient = patient.denial_cache(Duration::ZERO);
    let limiter = patient.build().await.unwrap();
    let scene = Scene::start(&limiter);
    scene.until_exact(BACK).await;
    let server = tokio::task::spawn_blocking(move || {
        for _ in 0..OFTEN {
            std::thread::sleep(Duration::from_millis(120));
            let _: redis::Value = server.cli(command);
        }
        server
    });
    let server = server.await.unwrap();
    scene.until_exact(BACK).await;
    scene.finish(&server).await
}

fn decided(tallies: &[Tally], quota: impl Fn(&Tally) -> usize) {
    for tally in tallies {
        assert_eq!(tally.count(503), 0, "{tally:?}");
        assert!(tally.regular(200) <= quota(tally), "{tally:?}");
    }
}

#[actix_web::test]
async fn scripts_that_are_forgotten_are_sent_again() {
    for flavour in Flavour::ALL {
        let tallies = again_and_again(flavour, &["SCRIPT", "FLUSH"]).await;
        decided(&tallies, Tally::quota);
    }
}

#[actix_web::test]
async fn counters_that_are_forgotten_begin_anew() {
    let tallies = again_and_again(Flavour::Redis7, &["FLUSHALL"]).await;
    decided(&tallies, |tally| tally.quota() * (OFTEN + 1));
    for tally in &tallies {
        assert!(tally.regular(200) > tally.quota(), "{tally:?}");
    }
}

#[actix_web::test]
async fn connections_that_are_killed_cost_what_was_under_way() {
    for flavour in Flavour::ALL {
        let kill = &["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"];
        let tallies = again_and_again(flavour, kill).await;
        let undecided = Tally::of(&tallies, "/closed").count(503);
        assert!(undecided <= OFTEN * CLIENTS, "{tallies:?}");
        let local = Tally::of(&tallies, "/local");
        assert!(local.regular(200) <= local.quota(), "{tallies:?}");
        let open = Tally::of(&tallies, "/open");
        assert!(
            open.regular(200) <= open.quota() + OFTEN * CLIENTS,
            "{tallies:?}"
        );
    }
}
