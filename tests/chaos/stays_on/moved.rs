//! Masters that move by plan, through Sentinel or behind an address, and slots that migrate.

use std::time::{Duration, Instant};

use actix_throttle::{CircuitState, RateLimiter, deadpool_redis};
use actix_web::rt::time::sleep;

use super::service::{Service, assert_on_since};
use crate::{
    apart,
    cluster::{client_of, slot_of_client},
};
use harness::{Cluster, Proxy, Sentinels, Server, ServerVersion, stores::cluster_pool};

const PAUSE: Duration = Duration::from_millis(20);
/// Bound for limits to be on again once there is a new master.
const BACK: Duration = Duration::from_secs(3);

#[actix_web::test]
async fn planned_failover_by_sentinels_costs_seconds_at_most() {
    let sentinels = Sentinels::start(ServerVersion::Redis7);
    let kind = deadpool_redis::sentinel::SentinelServerType::Master;
    let name = sentinels.service_name().to_owned();
    let config = deadpool_redis::sentinel::Config::from_urls(sentinels.urls(), name, kind);
    let pool = config.create_pool(Some(deadpool_redis::Runtime::Tokio1));
    let builder = RateLimiter::builder().redis(pool.unwrap());
    let service = Service::start(builder, 4).await;
    let modes = service.modes(PAUSE).await;
    let load = service.load("/steady", 8, PAUSE);
    sleep(Duration::from_millis(300)).await;
    let (sentinels, _) = apart(sentinels, |sentinels| sentinels.failover()).await;
    let switched = Instant::now();
    sleep(BACK + Duration::from_secs(1)).await;
    let answers = load.finish().await;
    assert_on_since(&answers, switched + BACK);
    modes.finish(switched + BACK).await;
    assert_eq!(service.circuit(), CircuitState::Closed);
    drop(sentinels);
}

/// The master becomes a replica, and a moment later its address leads to the new master.
#[actix_web::test]
async fn repointed_address_costs_seconds_at_most() {
    for version in [ServerVersion::Redis62, ServerVersion::Redis7] {
        let old = Server::start(version);
        let new = Server::replica_of(&old);
        let proxy = Proxy::start(old.port());
        let builder = RateLimiter::builder().redis_url(proxy.url());
        let service = Service::start(builder, 4).await;
        let modes = service.modes(PAUSE).await;
        let load = service.load("/steady", 8, PAUSE);
        sleep(Duration::from_millis(300)).await;
        let _: String = new.cli(&["REPLICAOF", "NO", "ONE"]);
        let port = new.port().to_string();
        let _: String = old.cli(&["REPLICAOF", "127.0.0.1", &port]);
        sleep(Duration::from_millis(200)).await;
        // Connections to the old master stay open.
        proxy.point_to(new.port());
        let repointed = Instant::now();
        sleep(BACK + Duration::from_secs(1)).await;
        let answers = load.finish().await;
        assert_on_since(&answers, repointed + BACK);
        modes.finish(repointed + BACK).await;
        assert_eq!(service.circuit(), CircuitState::Closed);
    }
}

/// One client floods a slot that is being migrated, and sends the only requests. No other response
/// shows that Redis is well.
#[actix_web::test]
async fn flood_of_a_slot_that_is_moved_leaves_the_circuit_closed() {
    let cluster = Cluster::start(ServerVersion::Redis7, 3, 0);
    let builder = RateLimiter::builder().redis(cluster_pool(cluster.urls()));
    let service = Service::start(builder, 2).await;
    let id = client_of(0);
    assert_eq!(service.ask("/one", &id, 1).await[0].status, 200);
    let migration = cluster.begin_migration(slot_of_client(&id), 1);
    migration.move_keys();
    let flood = service.load_by("/one", vec![id; 20], Duration::ZERO);
    let end = Instant::now() + Duration::from_secs(4);
    while Instant::now() < end {
        assert_eq!(service.circuit(), CircuitState::Closed);
        sleep(PAUSE).await;
    }
    flood.finish_busy().await;
    let others = service.ask("/steady", "other", 30).await;
    assert_on_since(&others, end);
    migration.finish();
}
