//! Clusters that lose nodes under load.

use std::time::Duration;

use actix_throttle::{Identity, RateLimiter};

use super::{
    DEADLINE, RECOVERY, apart, limiter,
    outage_scenario::OutageScenario,
    status_counts::{SCHEDULING, StatusCounts},
};
use harness::{
    Cluster, SLOTS, ServerVersion, eventually, slot_of,
    stores::{cluster_pool, unique},
};

/// Bound for the nodes of a cluster to agree.
const WITHIN: Duration = Duration::from_secs(20);
/// The time that a worker may need to rediscover the cluster, beyond the recovery timeout.
const LOOK: Duration = Duration::from_millis(2_500);
/// One connection per worker, and one of the limiter's builder.
const CONNECTIONS: usize = 3;

async fn limiter_of(cluster: &Cluster) -> RateLimiter {
    limiter(cluster_pool(cluster.urls())).await
}

/// A new client whose counters this master, one of three, owned at first.
pub(super) fn client_of(master: u16) -> String {
    let share = |index: u16| index * SLOTS / 3;
    loop {
        let id = unique("client");
        if (share(master)..share(master + 1)).contains(&slot_of_client(&id)) {
            return id;
        }
    }
}

/// The slot of the counters of the client with this `X-Id`.
pub(super) fn slot_of_client(id: &str) -> u16 {
    slot_of(&format!("{{{}}}", Identity::header("X-Id", id)))
}

/// Waits until limits are exact in every shard. Returns how long the slowest took.
pub(super) async fn until_exact(scenario: &OutageScenario) -> Duration {
    let bound = RECOVERY + DEADLINE + LOOK + SCHEDULING * 2;
    let mut longest = Duration::ZERO;
    for master in 0..3 {
        let took = scenario.until_exact_for(bound, || client_of(master)).await;
        longest = longest.max(took);
    }
    longest
}

/// Waits until each node has at most one connection per worker and one of the builder.
async fn few_connections(cluster: Cluster) -> Cluster {
    let (cluster, ()) = apart(cluster, |cluster| {
        let counts = |cluster: &Cluster| -> Vec<_> {
            let nodes = (0..cluster.node_count()).map(|index| cluster.node(index));
            nodes.map(|node| node.clients()).collect()
        };
        println!("connections: {:?}", counts(cluster));
        eventually("few connections", WITHIN, || {
            counts(cluster).iter().all(|count| *count <= CONNECTIONS)
        });
    })
    .await;
    cluster
}

#[actix_web::test]
async fn killed_master_is_replaced_and_returns_as_replica() {
    let cluster = Cluster::start(ServerVersion::Redis7, 3, 1);
    let mut scenario = OutageScenario::start(&limiter_of(&cluster).await);
    until_exact(&scenario).await;
    let (cluster, ()) = apart(cluster, |cluster| {
        cluster.kill(0);
        cluster.await_failover(0, WITHIN);
    })
    .await;
    println!("exact after a failover: {:?}", until_exact(&scenario).await);
    let (cluster, ()) = apart(cluster, |cluster| {
        cluster.restart(0);
        cluster.await_ok(WITHIN);
        cluster.await_replicas(WITHIN);
    })
    .await;
    println!("exact after a return: {:?}", until_exact(&scenario).await);
    let _cluster = few_connections(cluster).await;
    println!("{:?}", scenario.end_load().await);
}

#[actix_web::test]
async fn stopped_master_is_replaced_and_returns() {
    let cluster = Cluster::start(ServerVersion::Valkey9, 3, 1);
    let mut scenario = OutageScenario::start(&limiter_of(&cluster).await);
    until_exact(&scenario).await;
    let (cluster, ()) = apart(cluster, |cluster| {
        cluster.stop(0);
        cluster.await_failover(0, WITHIN);
    })
    .await;
    println!("exact after a failover: {:?}", until_exact(&scenario).await);
    let (cluster, ()) = apart(cluster, |cluster| {
        cluster.resume(0);
        cluster.await_ok(WITHIN);
        cluster.await_replicas(WITHIN);
    })
    .await;
    println!("exact after a return: {:?}", until_exact(&scenario).await);
    let (cluster, ()) = apart(cluster, |cluster| cluster.promote(0, WITHIN)).await;
    println!(
        "exact after a promotion: {:?}",
        until_exact(&scenario).await
    );
    let _cluster = few_connections(cluster).await;
    println!("{:?}", scenario.end_load().await);
}

/// Breaks the first master, which has no replica. Counters on other masters must be decided as
/// before.
async fn without_a_replica(fail: fn(&mut Cluster), mend: fn(&mut Cluster)) {
    let full = ["--cluster-require-full-coverage", "no"];
    let cluster = Cluster::start_with(ServerVersion::Redis7, 3, 0, &full);
    let mut scenario = OutageScenario::start(&limiter_of(&cluster).await);
    until_exact(&scenario).await;
    let watches = [1, 2].map(|master| scenario.watch(move || client_of(master)));
    let (cluster, ()) = apart(cluster, fail).await;
    scenario.run(Duration::from_secs(3)).await;
    let (cluster, ()) = apart(cluster, move |cluster| {
        mend(cluster);
        cluster.await_ok(WITHIN);
    })
    .await;
    println!("exact after a return: {:?}", until_exact(&scenario).await);
    for watch in watches {
        let seen = watch.finish().await;
        println!("{seen:?}");
        assert!(seen.silence < SCHEDULING, "{seen:?}");
        // Some fail closed until the cluster client has noticed the failure.
        assert!(seen.refused * 10 < seen.decided, "{seen:?}");
    }
    let _cluster = few_connections(cluster).await;
    println!("{:?}", scenario.end_load().await);
}

#[actix_web::test]
async fn killed_master_without_replica_affects_only_its_own_slots() {
    without_a_replica(|cluster| cluster.kill(0), |cluster| cluster.restart(0)).await;
}

#[actix_web::test]
async fn stopped_master_without_replica_affects_only_its_own_slots() {
    without_a_replica(|cluster| cluster.stop(0), |cluster| cluster.resume(0)).await;
}

#[actix_web::test]
async fn a_cluster_that_is_lost_as_a_whole_comes_back() {
    let cluster = Cluster::start(ServerVersion::Redis7, 3, 0);
    let mut urls = cluster.urls();
    // A port without a server.
    urls.insert(0, "redis://127.0.0.1:1".to_owned());
    let mut scenario = OutageScenario::start(&limiter(cluster_pool(urls)).await);
    until_exact(&scenario).await;
    let (cluster, ()) = apart(cluster, |cluster| {
        (0..3).for_each(|node| cluster.kill(node))
    })
    .await;
    scenario.run(Duration::from_millis(1_500)).await;
    let (cluster, ()) = apart(cluster, |cluster| {
        (0..3).for_each(|node| cluster.restart(node));
        cluster.await_ok(WITHIN);
    })
    .await;
    println!("exact after a return: {:?}", until_exact(&scenario).await);
    let _cluster = few_connections(cluster).await;
    let all_counts = scenario.end_load().await;
    assert!(
        StatusCounts::of(&all_counts, "/closed").count(503) > 0,
        "{all_counts:?}"
    );
    assert!(
        StatusCounts::of(&all_counts, "/open").regular(200) > 50,
        "{all_counts:?}"
    );
}
