//! Calls to a cluster whose reply is lost with the connection.

use std::time::{Duration, Instant};

use actix_throttle::Limit;

use super::migrating_repeats::{announced_proxy, builder};
use harness::{
    Cluster, Mode, ServerVersion,
    stores::{block_on, until},
};

/// The client sends a call again when its connection broke, and the reply to a repeated call is
/// empty. Then there is nothing to wait for, however long the latest round trip was.
#[test]
fn lost_reply_is_known_as_soon_as_the_call_is_repeated() {
    /// The delay in each direction. A call waits for four times as long until it is called off.
    const DELAY: Duration = Duration::from_secs(1);
    let cluster = Cluster::start(ServerVersion::Redis7, 3, 0);
    let node = cluster.node(cluster.owner_of_key("{user=ann}"));
    let proxy = announced_proxy(&cluster, node);
    block_on(async {
        let limiter = builder(vec![proxy.url()], "throttle").build().await;
        let limiter = limiter.unwrap();
        let limit = Limit::per_hour(50);
        for (mode, expected) in [(Mode::Pass, 49), (Mode::Delay(DELAY), 48)] {
            proxy.set(mode);
            let decision = limiter.check(&limit, "ann").await.unwrap();
            assert_eq!(decision.limits()[0].remaining(), expected);
        }
        proxy.set(Mode::Stall);
        let start = Instant::now();
        let cut_off = tokio::spawn({
            let limiter = limiter.clone();
            async move { limiter.check(&limit, "ann").await }
        });
        // The list also holds the entry before the first admission.
        until("the charge is made", async || {
            let keys: Vec<String> = node.cli(&["KEYS", "*:l3600"]);
            node.cli::<u32>(&["LLEN", &keys[0]]) == 4
        })
        .await;
        proxy.set(Mode::Refuse);
        proxy.set(Mode::Pass);
        let error = cut_off.await.unwrap().expect_err("the reply is unknown");
        let took = start.elapsed();
        assert!(
            error.to_string().contains("not carried out twice"),
            "{error}"
        );
        assert!(took < 3 * DELAY, "{took:?}");
        let decision = limiter.check(&limit, "ann").await.unwrap();
        assert_eq!(decision.limits()[0].remaining(), 46);
    });
}
