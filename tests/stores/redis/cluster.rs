//! Decisions in a Redis Cluster: which node is called how often, and what is charged where.

use std::{collections::HashSet, time::Duration};

use actix_throttle::{Algorithm, Builder, FailureMode, Limit, RateLimiter};
use tokio::task::JoinSet;

use harness::{
    Cluster, Mode, Monitor, Proxy, ServerVersion, shared_cluster, slot_of,
    stores::{block_on, cluster_pool, every_algorithm, unique},
};

/// A builder with a deadline that is long enough for a cut connection to be restored.
fn builder(urls: Vec<String>, prefix: &str) -> Builder {
    RateLimiter::builder()
        .redis(cluster_pool(urls))
        .prefix(prefix)
        .deadline(Duration::from_secs(5))
        .failure_mode(FailureMode::Closed)
        .failure_threshold(u32::MAX)
}

async fn limiter(urls: Vec<String>, prefix: &str) -> RateLimiter {
    builder(urls, prefix).build().await.unwrap()
}

/// A limiter without a denial cache: it calls the cluster for every denied request too.
async fn eager(urls: Vec<String>, prefix: &str) -> RateLimiter {
    let builder = builder(urls, prefix).denial_cache(Duration::ZERO);
    builder.build().await.unwrap()
}

/// Users whose counters are on different masters.
fn three_users() -> [String; 3] {
    let cluster = shared_cluster();
    [0, 1, 2].map(|master| {
        let mut names = (0..).map(|number| format!("user{number}"));
        let is_there =
            |name: &String| cluster.master_of_slot(slot_of(&format!("{{user={name}}}"))) == master;
        names.find(is_there).expect("every master owns slots")
    })
}

async fn remaining(limiter: &RateLimiter, limit: &Limit, user: &str) -> u32 {
    let peeked = limiter.peek(limit, user).await.unwrap();
    peeked.limits()[0].remaining()
}

#[test]
fn all_limits_of_an_identity_are_one_call_to_one_node() {
    let cluster = shared_cluster();
    let prefix = unique("one-call");
    block_on(async {
        let limiter = eager(cluster.urls(), &prefix).await;
        let limits = every_algorithm(5, 20);
        let checks: Vec<_> = limits.iter().map(|limit| (limit, "ann")).collect();
        limiter.check_all(&checks).await.unwrap();
        let monitors: Vec<_> = (0..3)
            .map(|node| Monitor::start(cluster.node(node)))
            .collect();
        for _ in 0..5 {
            limiter.check_all(&checks).await.unwrap();
        }
        let mut asked = Vec::new();
        for (node, monitor) in monitors.into_iter().enumerate() {
            // Other tests use the cluster too.
            let commands = monitor.commands().into_iter().filter(|words| {
                words
                    .iter()
                    .any(|word| word.starts_with(&format!("{prefix}:")))
            });
            asked.extend(commands.map(|words| (node, words[0].clone())));
        }
        let owner = cluster.owner_of_key("{user=ann}");
        assert_eq!(
            asked,
            [const { "EVALSHA" }; 5].map(|name| (owner, name.to_owned()))
        );
    });
}

/// The plain script decides in a cluster as well. There is no marker of blocks in the slot of a
/// call, so the call names the block, and between the two its idempotency key.
#[test]
fn a_plain_check_names_its_counter_and_block_and_its_own_key() {
    let cluster = shared_cluster();
    let prefix = unique("plain");
    block_on(async {
        let limiter = eager(cluster.urls(), &prefix).await;
        let limit = Limit::per_minute(2)
            .algorithm(Algorithm::FixedWindow)
            .zone("z");
        let monitor = Monitor::start(cluster.node(cluster.owner_of_key("{user=ann}")));
        for allowed in [true, true, false] {
            let decision = limiter.check(&limit, "ann").await.unwrap();
            assert_eq!(decision.is_allowed(), allowed);
        }
        let calls = monitor.commands().into_iter();
        let calls = calls.filter(|words| words[0] == "EVALSHA" && words[3].starts_with(&prefix));
        let named: Vec<_> = calls.map(|words| words[3..6].to_vec()).collect();
        assert_eq!(named.len(), 3, "{named:?}");
        let stem = format!("{prefix}:{{user=ann}}:");
        let mut own = HashSet::new();
        for keys in named {
            assert_eq!(keys[0], format!("{stem}z:f60"));
            assert!(keys[1].starts_with(&format!("{stem}once:")), "{keys:?}");
            assert_eq!(keys[2], format!("{stem}z:x"));
            own.insert(keys[1].clone());
        }
        assert_eq!(own.len(), 3, "{own:?}");
    });
}

#[test]
fn a_block_of_another_process_holds_at_once_in_a_cluster() {
    let cluster = shared_cluster();
    let prefix = unique("blocked");
    block_on(async {
        let here = eager(cluster.urls(), &prefix).await;
        let elsewhere = eager(cluster.urls(), &prefix).await;
        for limit in every_algorithm(100, 60) {
            let limit = limit.zone("z");
            let is_admitted = async |name| here.check(&limit, name).await.unwrap().is_allowed();
            assert!(is_admitted("ann").await, "{limit:?}");
            let length = Duration::from_secs(60);
            elsewhere.block(&limit, "ann", length).await.unwrap();
            let denied = here.check(&limit, "ann").await.unwrap();
            assert!(!denied.is_allowed(), "{limit:?}");
            assert!(denied.limits()[0].is_blocked(), "{limit:?}");
            assert!(is_admitted("bob").await, "{limit:?}");
            elsewhere.unblock(&limit, "ann").await.unwrap();
            for name in ["ann", "bob"] {
                elsewhere.reset(&limit, name).await.unwrap();
                assert!(is_admitted(name).await, "{limit:?}");
                elsewhere.reset(&limit, name).await.unwrap();
            }
        }
    });
}

#[test]
fn a_denial_with_one_master_leaves_the_others_uncharged() {
    block_on(async {
        let limiter = limiter(shared_cluster().urls(), &unique("denied")).await;
        let [ann, bob, carl] = three_users();
        for limit in every_algorithm(5, 60) {
            while limiter.check(&limit, &bob).await.unwrap().is_allowed() {}
            let whole = remaining(&limiter, &limit, &ann).await;
            for _ in 0..10 {
                let all = [(&limit, &ann), (&limit, &bob), (&limit, &carl)];
                let denied = limiter.check_all(&all).await.unwrap();
                assert!(!denied.is_allowed(), "{limit:?}");
                assert!(denied.limits()[1].is_exceeded(), "{limit:?}");
            }
            for user in [&ann, &carl] {
                assert_eq!(remaining(&limiter, &limit, user).await, whole, "{limit:?}");
            }
        }
    });
}

/// Requests for pairs of users race for the quotas on three masters.
#[test]
fn races_admit_exactly_the_limit_and_refunds_are_usable() {
    const QUOTA: u32 = 20;
    block_on(async {
        let limiter = limiter(shared_cluster().urls(), &unique("races")).await;
        let users = three_users();
        let limit = Limit::per_hour(QUOTA);
        let mut requests = JoinSet::new();
        for index in 0..90 {
            let limiter = limiter.clone();
            let pair = [index % 3, (index + 1) % 3];
            let names = pair.map(|user| users[user].clone());
            requests.spawn(async move {
                let both = [(&limit, &names[0]), (&limit, &names[1])];
                let (decision, taken) = limiter.check_with_receipts(&both).await.unwrap();
                let allowed = decision.is_allowed();
                assert_eq!(taken.was_charged(), [allowed; 2]);
                (pair, allowed)
            });
        }
        let mut admitted = [0; 3];
        while let Some(outcome) = requests.join_next().await {
            let (pair, allowed) = outcome.unwrap();
            for user in pair {
                admitted[user] += u32::from(allowed);
            }
        }
        println!("admitted: {admitted:?}");
        for (user, mut admitted) in users.iter().zip(admitted) {
            assert!(admitted <= QUOTA);
            assert_eq!(remaining(&limiter, &limit, user).await, QUOTA - admitted);
            while limiter.check(&limit, user).await.unwrap().is_allowed() {
                admitted += 1;
            }
            assert_eq!(admitted, QUOTA, "{user}");
        }
    });
}

/// Charges happen once, although the cluster client resends the calls that were in flight when a
/// connection broke.
#[test]
fn nothing_is_charged_twice_however_often_connections_break() {
    const TRIES: u32 = 20;
    let cluster = Cluster::start(ServerVersion::Redis7, 1, 0);
    let proxy = Proxy::start(cluster.node(0).port());
    // The node announces the proxy's port, so that clients connect through the proxy.
    let port = proxy.port().to_string();
    let announce = ["CONFIG", "SET", "cluster-announce-port", &port];
    let _: String = cluster.node(0).cli(&announce);
    block_on(async {
        let limiter = eager(vec![proxy.url()], "throttle").await;
        for limit in every_algorithm(1_000, 3_600) {
            let mut decided = 0;
            limiter.check(&limit, "ann").await.unwrap();
            let cut_before = proxy.accepted();
            for _ in 0..TRIES {
                proxy.set(Mode::CutReply(0));
                decided += u32::from(limiter.check(&limit, "ann").await.is_ok());
            }
            proxy.set(Mode::Pass);
            let cuts = proxy.accepted() - cut_before;
            assert!(
                cuts >= TRIES as usize,
                "{cuts}: the client goes another way"
            );
            let left = remaining(&limiter, &limit, "ann").await;
            println!(
                "{:?}: {decided} decided, {left} left",
                limit.algorithm_value()
            );
            if left > 1 {
                assert!(
                    (1_000 - 1 - TRIES..=1_000).contains(&left),
                    "{left}: {limit:?}"
                );
            }
        }
    });
}
