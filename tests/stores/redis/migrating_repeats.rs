//! Calls that the cluster client sends twice while a hash slot is being moved, and that must run
//! once.

use std::time::Duration;

use actix_throttle::{Algorithm, Builder, FailureMode, Limit, RateLimiter};

use redis::FromRedisValue;

use harness::{
    Cluster, Mode, Monitor, Proxy, Server, ServerVersion, cluster_of_open_slots, eventually,
    stores::{block_on, cluster_pool, every_algorithm, unique, until},
};

/// Bound for the nodes of a cluster to tell each other of a port.
const KNOWN_WITHIN: Duration = Duration::from_secs(10);

pub(super) fn builder(urls: Vec<String>, prefix: &str) -> Builder {
    RateLimiter::builder()
        .redis(cluster_pool(urls))
        .prefix(prefix)
        .deadline(Duration::from_secs(5))
        .denial_cache(Duration::ZERO)
        .failure_mode(FailureMode::Closed)
        .failure_threshold(u32::MAX)
}

/// The arguments of one line of MONITOR, byte for byte.
fn arguments(line: &str) -> Vec<Vec<u8>> {
    let (_, quoted) = line.split_once("] ").expect("an origin");
    let mut arguments = Vec::new();
    let mut bytes = quoted.bytes();
    while bytes.by_ref().any(|byte| byte == b'"') {
        let mut argument = Vec::new();
        loop {
            match bytes.next().expect("the quotes are closed") {
                b'"' => break,
                b'\\' => argument.push(match bytes.next().expect("something is escaped") {
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'a' => 7,
                    b'b' => 8,
                    b'x' => {
                        let digits = [bytes.next(), bytes.next()].map(|digit| digit.unwrap());
                        u8::from_str_radix(str::from_utf8(&digits).unwrap(), 16).unwrap()
                    }
                    byte => byte,
                }),
                byte => argument.push(byte),
            }
        }
        arguments.push(argument);
    }
    arguments
}

/// The keys of counters, without the idempotency keys of calls.
fn counters(node: &Server, prefix: &str) -> Vec<String> {
    let mut keys: Vec<String> = node.cli(&["KEYS", &format!("{prefix}:*")]);
    keys.retain(|key| !key.contains(":once:"));
    keys
}

/// The latest call of this one key, as a client resends it after its connection broke.
fn latest_call(monitor: Monitor, key: &str) -> Vec<Vec<u8>> {
    let lines = monitor.finish();
    let calls = lines.iter().filter(|line| !line.contains(" lua] "));
    let mut calls = calls.map(|line| arguments(line));
    let is_wanted = |words: &Vec<Vec<u8>>| {
        words[0].eq_ignore_ascii_case(b"EVALSHA") && words[2] == b"1" && words[3] == key.as_bytes()
    };
    calls.rfind(is_wanted).expect("such a call")
}

/// Sends a call to a node that imports the hash slot.
fn send_again(node: &Server, call: &[Vec<u8>]) -> Vec<u8> {
    let words: Vec<_> = call.iter().map(Vec::as_slice).collect();
    ask(node, &words)
}

fn ask<T: FromRedisValue>(node: &Server, words: &[&[u8]]) -> T {
    let client = redis::Client::open(node.url()).unwrap();
    let mut connection = client.get_connection().unwrap();
    let mut pipeline = redis::pipe();
    pipeline.cmd("ASKING").ignore();
    let command = pipeline.cmd(str::from_utf8(words[0]).unwrap());
    for word in &words[1..] {
        command.arg(*word);
    }
    let (reply,): (T,) = pipeline.query(&mut connection).unwrap();
    reply
}

/// A proxy in front of a node. The node announces the proxy's port, so clients that learn of the
/// node connect through the proxy.
pub(super) fn announced_proxy(cluster: &Cluster, node: &Server) -> Proxy {
    let proxy = Proxy::start(node.port());
    let port = proxy.port().to_string();
    let _: String = node.cli(&["CONFIG", "SET", "cluster-announce-port", &port]);
    let announced = format!(":{port}@");
    eventually("all nodes know the port", KNOWN_WITHIN, || {
        let nodes = (0..cluster.node_count()).map(|index| cluster.node(index));
        let mut views = nodes.map(|node| node.cli(&["CLUSTER", "NODES"]));
        views.all(|view: String| view.contains(&announced))
    });
    proxy
}

#[test]
fn single_key_call_sent_repeatedly_executes_once() {
    for version in ServerVersion::ALL {
        let cluster = cluster_of_open_slots(version);
        let node = cluster.node((cluster.owner_of_key("{user=ann}") + 1) % 3);
        block_on(async {
            let prefix = unique("repeats");
            let limiter = builder(cluster.urls(), &prefix).build().await.unwrap();
            for limit in every_algorithm(50, 366 * 24 * 3_600) {
                let is_leaky = limit.algorithm_value() == Algorithm::LeakyBucket;
                let limit = limit.zone("z");
                let remaining = async || {
                    let peeked = limiter.peek(&limit, "ann").await.unwrap();
                    peeked.limits()[0].remaining()
                };
                let monitor = Monitor::start(node);
                let checks = [(&limit, "ann")];
                let (_, first) = limiter.check_with_receipts(&checks).await.unwrap();
                let keys = counters(node, &prefix);
                let [key] = &keys[..] else {
                    panic!("one key, not {keys:?}");
                };
                let charge = latest_call(monitor, key);
                let after = if is_leaky { 0 } else { 49 };
                assert_eq!(send_again(node, &charge), b"", "{limit:?}");
                assert_eq!(remaining().await, after, "{limit:?}");
                // The repeated call is recognised after another call in between, too.
                if !is_leaky {
                    limiter.check(&limit, "ann").await.unwrap();
                    assert_eq!(send_again(node, &charge), b"", "{limit:?}");
                    assert_eq!(remaining().await, 48, "{limit:?}");
                }
                let monitor = Monitor::start(node);
                limiter.refund_charged(first).await.unwrap();
                let refund = latest_call(monitor, key);
                let left = remaining().await;
                assert_eq!(send_again(node, &refund), b"", "{limit:?}");
                limiter.check(&limit, "ann").await.unwrap();
                assert_eq!(send_again(node, &refund), b"", "{limit:?}");
                assert_eq!(send_again(node, &charge), b"", "{limit:?}");
                assert_eq!(remaining().await, left - 1, "{limit:?}");
                let ttl: i64 = ask(node, &[b"PTTL", key.as_bytes()]);
                assert!(ttl > 0, "{limit:?}: {ttl}");
                limiter.reset(&limit, "ann").await.unwrap();
                let keys = counters(node, &prefix);
                assert!(keys.is_empty(), "{keys:?}");
            }
        });
    }
}

/// A call that was executed before the slot opened has an idempotency key with a Redis key of its
/// own. The node refuses to repeat the call because its several keys are in an open slot.
#[test]
fn call_executed_before_its_slot_opened_is_not_repeated() {
    let cluster = Cluster::start(ServerVersion::Redis7, 3, 0);
    let from = cluster.owner_of_key("{user=ann}");
    let to = (from + 1) % 3;
    let slot: u16 = cluster.node(0).cli(&["CLUSTER", "KEYSLOT", "{user=ann}"]);
    let [from, to] = [from, to].map(|index| cluster.node(index));
    let proxy = announced_proxy(&cluster, from);
    block_on(async {
        let limiter = builder(vec![proxy.url()], "throttle")
            .build()
            .await
            .unwrap();
        let limit = Limit::per_hour(50);
        for expected in [49, 48] {
            let decision = limiter.check(&limit, "ann").await.unwrap();
            assert_eq!(decision.limits()[0].remaining(), expected);
        }
        proxy.set(Mode::Stall);
        let cut_off = tokio::spawn({
            let limiter = limiter.clone();
            async move { limiter.check(&limit, "ann").await }
        });
        let key = "throttle:{user=ann}::l3600";
        let keys: Vec<String> = from.cli(&["KEYS", "*:l3600"]);
        let key = keys.first().map_or(key, String::as_str);
        // The list also holds the entry before the first admission.
        until("the charge is made", async || {
            from.cli::<u32>(&["LLEN", key]) == 4
        })
        .await;
        let slot = slot.to_string();
        for (node, state, other) in [(to, "IMPORTING", from), (from, "MIGRATING", to)] {
            let other: String = other.cli(&["CLUSTER", "MYID"]);
            let _: String = node.cli(&["CLUSTER", "SETSLOT", &slot, state, &other]);
        }
        proxy.set(Mode::Refuse);
        proxy.set(Mode::Pass);
        let answer = cut_off.await.unwrap();
        let error = answer.expect_err("the reply is unknown");
        assert!(
            error.to_string().contains("not carried out twice"),
            "{error}"
        );
        let decision = limiter.check(&limit, "ann").await.unwrap();
        assert_eq!(decision.limits()[0].remaining(), 46);
    });
}

/// A call that a node refuses for its several keys is called off, because the cluster client would
/// resend it after its wait.
#[test]
fn a_call_that_is_refused_for_its_keys_is_called_off() {
    let cluster = cluster_of_open_slots(ServerVersion::Redis7);
    let node = cluster.node((cluster.owner_of_key("{user=ann}") + 1) % 3);
    block_on(async {
        let prefix = unique("off");
        let limiter = builder(cluster.urls(), &prefix).build().await.unwrap();
        let limits = [60, 3_600].map(|seconds| Limit::new(5, Duration::from_secs(seconds)));
        let monitor = Monitor::start(node);
        let both = limits.each_ref().map(|limit| (limit, "ann"));
        let decision = limiter.check_all(&both).await.unwrap();
        for limit in decision.limits() {
            assert_eq!(limit.remaining(), 4);
        }
        let once = format!("\"SET\" \"{prefix}:{{user=ann}}:once:");
        let lines = monitor.finish();
        let called_off = lines.iter().filter(|line| line.contains(&once));
        // The read before it writes nothing and needs no idempotency key.
        assert_eq!(called_off.filter(|line| line.contains("\"NX\"")).count(), 1);
    });
}

/// A node that lacks the script gets the call twice. If the call is called off in between, the node
/// refuses the second one as a repetition. The reply to that may be read first, on a busy machine.
#[test]
fn a_call_that_was_called_off_is_no_repetition() {
    let cluster = Cluster::start(ServerVersion::Redis7, 3, 0);
    let node = cluster.node(cluster.owner_of_key("{user=ann}"));
    let proxy = announced_proxy(&cluster, node);
    block_on(async {
        let limiter = builder(vec![proxy.url()], "throttle").build().await;
        let limiter = limiter.unwrap();
        let limit = Limit::per_hour(50);
        let decision = limiter.check(&limit, "ann").await.unwrap();
        assert_eq!(decision.limits()[0].remaining(), 49);
        let _: String = node.cli(&["SCRIPT", "FLUSH"]);
        let _: String = node.cli(&["CONFIG", "RESETSTAT"]);
        proxy.set(Mode::Stall);
        let called = tokio::spawn({
            let limiter = limiter.clone();
            async move { limiter.check(&limit, "ann").await }
        });
        until("the call is called off", async || {
            let keys: Vec<String> = node.cli(&["KEYS", "*:once:*"]);
            let mut values = keys.iter().map(|key| node.cli(&["GET", key]));
            values.any(|value: Option<String>| value.as_deref() == Some("off"))
        })
        .await;
        proxy.set(Mode::PassOnce);
        until("the call comes with its source", async || {
            let stats: String = node.cli(&["INFO", "commandstats"]);
            stats.contains("cmdstat_eval:")
        })
        .await;
        proxy.set(Mode::Pass);
        let decision = called.await.unwrap().unwrap();
        assert_eq!(decision.limits()[0].remaining(), 48);
    });
}
