//! Log lines of a start. Each test is a process of its own, because the logger is global to a
//! process.

use std::sync::Mutex;

use actix_throttle::{Builder, RateLimiter, deadpool_redis};
use log::{LevelFilter, Log, Metadata, Record};

use super::startup::occupy;
use harness::{
    Cluster, Sentinels, Server, ServerVersion, TlsServer,
    http::app::in_own_process,
    stores::{block_on, cluster_pool},
};

struct Lines(Mutex<Vec<String>>);

static LINES: Lines = Lines(Mutex::new(Vec::new()));

impl Log for Lines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("actix_throttle")
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            let line = format!("{} {} {}", record.level(), record.target(), record.args());
            self.0.lock().unwrap().push(line);
        }
    }

    fn flush(&self) {}
}

/// Whether this process runs the test itself; if not, starts a process that does.
fn is_own_process(test: &str) -> bool {
    if in_own_process(&format!("redis::startup_log::{test}")).is_some() {
        return false;
    }
    log::set_logger(&LINES).unwrap();
    log::set_max_level(LevelFilter::Info);
    true
}

/// The log lines of building and dropping a limiter.
fn start(builder: Builder) -> Vec<String> {
    LINES.0.lock().unwrap().clear();
    let limiter = block_on(builder.build());
    drop(limiter.unwrap_or_else(|error| panic!("{error}")));
    std::mem::take(&mut *LINES.0.lock().unwrap())
}

fn start_at(url: impl Into<String>) -> Vec<String> {
    start(RateLimiter::builder().redis_url(url))
}

fn pool(url: impl Into<String>) -> deadpool_redis::Pool {
    deadpool_redis::Config::from_url(url)
        .create_pool(Some(deadpool_redis::Runtime::Tokio1))
        .unwrap()
}

fn store(server: &Server) -> String {
    match server.info("valkey_version") {
        Some(version) => format!("Valkey {version}"),
        None => format!("Redis {}", server.info("redis_version").unwrap()),
    }
}

#[test]
fn good_start_is_one_line_with_store_version_and_prefix() {
    if !is_own_process("good_start_is_one_line_with_store_version_and_prefix") {
        return;
    }
    let by = "INFO actix_throttle rate limits are decided by";
    for version in ServerVersion::ALL {
        let server = Server::start(version);
        let (store, port) = (store(&server), server.port());
        let at = format!("Redis at redis://127.0.0.1:{port}/2: {store}, standalone");
        let _: String = server.cli(&["ACL", "SETUSER", "ann", "on", ">secret", "~*", "+@all"]);
        let url = format!("redis://ann:secret@127.0.0.1:{port}/2");
        let builder = RateLimiter::builder().redis_url(url).prefix("shop");
        assert_eq!(start(builder), [format!("{by} {at}; prefix `shop`")]);
        let by_pool = start(RateLimiter::builder().redis(pool(server.url())));
        let whose = format!("the pool's Redis: {store}, standalone");
        assert_eq!(by_pool, [format!("{by} {whose}; prefix `throttle`")]);
    }
    let cluster = Cluster::start(ServerVersion::Redis7, 3, 0);
    let whose = format!("the pool's cluster: {}, cluster", store(cluster.node(0)));
    let lines = start(RateLimiter::builder().redis(cluster_pool(cluster.urls())));
    assert_eq!(lines, [format!("{by} {whose}; prefix `throttle`")]);

    let sentinels = Sentinels::start(ServerVersion::Redis7);
    let kind = deadpool_redis::sentinel::SentinelServerType::Master;
    let name = sentinels.service_name().to_owned();
    let masters = deadpool_redis::sentinel::Config::from_urls(sentinels.urls(), name, kind)
        .create_pool(Some(deadpool_redis::Runtime::Tokio1))
        .unwrap();
    let store = store(sentinels.server(0));
    let whose = format!("the master that the pool's sentinels name: {store}, standalone");
    let lines = start(RateLimiter::builder().redis(masters));
    assert_eq!(lines, [format!("{by} {whose}; prefix `throttle`")]);

    let lines = start(RateLimiter::builder().memory().max_keys(9));
    let in_memory = format!("{by} the in-memory store of this process, with 9 keys at most");
    assert_eq!(lines, [in_memory]);
}

#[test]
fn server_that_evicts_counters_is_a_warning() {
    if !is_own_process("server_that_evicts_counters_is_a_warning") {
        return;
    }
    let warnings = |lines: Vec<String>| -> Vec<_> {
        lines
            .into_iter()
            .filter(|line| line.starts_with("WARN"))
            .collect()
    };
    let set = |server: &Server, memory: &str, policy: &str| {
        let _: String = server.cli(&["CONFIG", "SET", "maxmemory", memory]);
        let _: String = server.cli(&["CONFIG", "SET", "maxmemory-policy", policy]);
    };
    for version in ServerVersion::ALL {
        let server = Server::start(version);
        for policy in ["volatile-ttl", "allkeys-lru"] {
            set(&server, "100mb", policy);
            for lines in [
                start_at(server.url()),
                // RESP3 has a type of its own for the text that `INFO` replies.
                start_at(format!("{}?protocol=3", server.url())),
            ] {
                let [warning] = &warnings(lines)[..] else {
                    panic!("{policy}: not one warning");
                };
                for words in [
                    policy,
                    "noeviction",
                    &format!("redis://127.0.0.1:{}", server.port()),
                ] {
                    assert!(warning.contains(words), "{warning}");
                }
            }
            // Nothing is evicted without `maxmemory`.
            set(&server, "0", policy);
            assert_eq!(warnings(start_at(server.url())), [""; 0]);
        }
        set(&server, "100mb", "noeviction");
        assert_eq!(warnings(start_at(server.url())), [""; 0]);
    }
    let cluster = Cluster::start(ServerVersion::Redis7, 3, 0);
    let start = || start(RateLimiter::builder().redis(cluster_pool(cluster.urls())));
    assert_eq!(warnings(start()), [""; 0]);
    // One node evicts: it is found whichever node is asked for its version.
    set(cluster.node(2), "100mb", "volatile-lru");
    let warnings = warnings(start());
    assert!(
        warnings.len() == 1 && warnings[0].contains("volatile-lru"),
        "{warnings:?}"
    );
}

#[test]
fn server_that_cannot_be_used_is_named_in_the_warning() {
    if !is_own_process("server_that_cannot_be_used_is_named_in_the_warning") {
        return;
    }
    let mut server = Server::start_with(ServerVersion::Redis7, &["--maxclients", "12"]);
    let port = server.port();
    let url = format!("redis://ann:secret@127.0.0.1:{port}/3");
    let address = format!("Redis at redis://127.0.0.1:{port}/3");
    let only = |lines: Vec<String>| match &lines[..] {
        [line] if line.starts_with("WARN actix_throttle ") => line.clone(),
        other => panic!("not one warning: {other:?}"),
    };
    let taken = occupy(&server);
    let full = only(start_at(&url));
    assert!(
        full.contains(&address) && full.contains("`maxclients`"),
        "{full}"
    );
    // The address of a pool is unknown, and the client's error depends on which side is faster.
    let full = only(start(RateLimiter::builder().redis(pool(server.url()))));
    assert!(
        full.contains("the pool's Redis") && full.contains("`maxclients`"),
        "{full}"
    );
    drop(taken);

    server.stop();
    let silent = only(start_at(&url));
    assert!(
        silent.contains(&address) && silent.contains("no reply"),
        "{silent}"
    );
    server.resume();
    server.kill();
    let gone = only(start_at(&url));
    assert!(
        gone.contains(&address) && gone.contains("refused"),
        "{gone}"
    );
    assert!(
        !gone.contains("secret") && !gone.contains("maxclients"),
        "{gone}"
    );

    let tls = TlsServer::start();
    let plain = format!("redis://127.0.0.1:{}", tls.port());
    let warning = only(start(RateLimiter::builder().redis(pool(plain))));
    assert!(warning.contains("agree about TLS"), "{warning}");
}
