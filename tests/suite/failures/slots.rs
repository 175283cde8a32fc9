//! Slots that move to another master, under load.

use std::time::Duration;

use super::{
    cluster::{client_of, slot_of_client, until_exact},
    limiter,
    scene::Scene,
    tally::{SCHEDULING, Tally},
};
use crate::{
    harness::{Cluster, Flavour},
    stores::cluster_pool,
};

#[actix_web::test]
async fn counters_move_with_their_slot() {
    for flavour in [Flavour::Redis62, Flavour::Valkey9] {
        let cluster = Cluster::start(flavour, 3, 0);
        let mut scene = Scene::start(&limiter(cluster_pool(cluster.urls())).await);
        until_exact(&scene).await;
        let id = client_of(0);
        assert_eq!(scene.burst(&id).await, (5, 10));

        let migration = cluster.begin_migration(slot_of_client(&id), 1);
        // Keys of such a slot are in two places, and a call that needs several is refused.
        for step in 0..2 {
            let (admitted, _) = scene.burst(&id).await;
            assert_eq!(admitted, 0, "{flavour:?}, step {step}");
            scene.run(Duration::from_millis(500)).await;
            println!("others meanwhile: {:?}", until_exact(&scene).await);
            migration.move_keys();
        }
        migration.finish();
        println!("exact after a move: {:?}", until_exact(&scene).await);
        // Nothing was forgotten on the way.
        let start = std::time::Instant::now();
        loop {
            let (admitted, denied) = scene.burst(&id).await;
            assert_eq!(admitted, 0, "{flavour:?}");
            if denied == 15 {
                break;
            }
            assert!(start.elapsed() < SCHEDULING * 2, "{denied}");
        }
        let tallies = scene.end_load().await;
        println!("{tallies:?}");
        // What fails in one slot closes the way to no other.
        let closed = Tally::of(&tallies, "/closed");
        assert!(closed.count(503) * 10 < closed.count(200), "{tallies:?}");
    }
}
