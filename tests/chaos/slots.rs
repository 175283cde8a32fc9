//! Slots of a cluster that migrate under load.

use std::time::Duration;

use super::{
    cluster::{client_of, slot_of_client, until_exact},
    limiter,
    outage_scenario::OutageScenario,
    status_counts::{SCHEDULING, StatusCounts},
};
use harness::{
    Cluster, ServerVersion,
    stores::{cluster_pool, unique},
};

/// A new client whose counters are in this slot.
fn client_in(slot: u16) -> String {
    let mut clients = std::iter::repeat_with(|| unique("client"));
    let client = clients.find(|id| slot_of_client(id) == slot);
    client.expect("there is no end of them")
}

/// Asserts that Redis decides all requests of a burst. A busy machine gets five attempts.
async fn decided(scenario: &OutageScenario, id: &str, expected: (usize, usize)) {
    let mut bursts = Vec::new();
    for _ in 0..5 {
        let burst = scenario.burst(id).await;
        if burst == expected {
            return;
        }
        assert!(burst.0 <= expected.0, "{burst:?}");
        bursts.push(burst);
    }
    panic!("{bursts:?}, not {expected:?}");
}

#[actix_web::test]
async fn counters_move_with_their_slot() {
    for version in [ServerVersion::Redis62, ServerVersion::Valkey9] {
        let cluster = Cluster::start(version, 3, 0);
        let mut scenario = OutageScenario::start(&limiter(cluster_pool(cluster.urls())).await);
        until_exact(&scenario).await;
        let id = client_of(0);
        assert_eq!(scenario.burst(&id).await, (5, 10));

        let slot = slot_of_client(&id);
        let migration = cluster.begin_migration(slot, 1);
        // The keys of the slot are on the old owner in step 0, and on the new one in step 1.
        for step in 0..2 {
            decided(&scenario, &id, (0, 15)).await;
            println!("new ones in step {step}");
            let fresh = || client_in(slot);
            scenario.until_exact_for(SCHEDULING, fresh).await;
            scenario.run(Duration::from_millis(500)).await;
            println!("others meanwhile: {:?}", until_exact(&scenario).await);
            migration.move_keys();
        }
        decided(&scenario, &id, (0, 15)).await;
        migration.finish();
        println!("exact after a move: {:?}", until_exact(&scenario).await);
        // The counters survived the migration.
        let start = std::time::Instant::now();
        loop {
            let (admitted, denied) = scenario.burst(&id).await;
            assert_eq!(admitted, 0, "{version:?}");
            if denied == 15 {
                break;
            }
            assert!(start.elapsed() < SCHEDULING * 2, "{denied}");
        }
        let all_counts = scenario.end_load().await;
        println!("{all_counts:?}");
        // Failures in one slot must not make requests of other slots fail.
        let closed = StatusCounts::of(&all_counts, "/closed");
        assert!(closed.count(503) * 10 < closed.count(200), "{all_counts:?}");
    }
}
