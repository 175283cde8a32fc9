//! Listing what a single server holds.

use std::{
    io::{BufRead, BufReader},
    process::Stdio,
    thread,
    time::Duration,
};

use actix_throttle::{Algorithm, Concurrency, Limit};
use harness::{Server, ServerVersion, stores::every_algorithm};
use serde_json::{Value, json};

use crate::{command, for_every_version, limiter, redis};

const HOUR: u64 = 3_600;

#[test]
fn list_shows_what_the_library_has_counted() {
    for_every_version(async |server| {
        let limiter = limiter(&server.url()).await;
        for limit in every_algorithm(50, HOUR) {
            let limit = limit.zone("login");
            for _ in 0..7 {
                let allowed = limiter.check(&limit, "ann").await.unwrap().is_allowed();
                assert!(allowed || limit.algorithm_value() == Algorithm::LeakyBucket);
            }
        }
        let permits = Concurrency::new(5).zone("export");
        let semaphore = limiter.semaphore(&permits, "ann");
        let _held = (
            semaphore.acquire().await.unwrap(),
            semaphore.acquire().await.unwrap(),
        );
        let login = Limit::per_hour(1).zone("login").shadow();
        limiter
            .block(&login, "ann", Duration::from_secs(60))
            .await
            .unwrap();

        let said = redis(&server.url(), &["list", "--json"]).status(0);
        assert_eq!(said.json()["complete"], json!(true));
        let entries = said.entries();
        assert_eq!(entries.len(), 8, "{entries:?}");
        for entry in &entries {
            assert_eq!(entry["identity"], "user=ann", "{entry}");
            let of = |name: &str| {
                entry[name]
                    .as_u64()
                    .unwrap_or_else(|| panic!("{name}: {entry}"))
            };
            match entry["kind"].as_str() {
                Some("counter") => {
                    assert_eq!(entry["zone"], "login", "{entry}");
                    assert_eq!(of("window_ms"), HOUR * 1_000);
                    assert!(of("reset_after_ms") <= 2 * HOUR * 1_000, "{entry}");
                    let expected = match entry["algorithm"].as_str() {
                        Some("leaky_bucket") => 1,
                        _ => 7,
                    };
                    assert_eq!(of("used"), expected, "{entry}");
                }
                Some("permits") => {
                    assert_eq!((of("used"), &entry["zone"]), (2, &json!("export")));
                    assert!((1..=60_000).contains(&of("reset_after_ms")), "{entry}");
                }
                Some("block") => {
                    assert_eq!(entry["shadow"], json!(true), "{entry}");
                    assert!((50_000..=60_000).contains(&of("blocked_for_ms")), "{entry}");
                }
                _ => panic!("{entry}"),
            }
        }
        let blocks = redis(&server.url(), &["list", "--blocks", "--json"]).entries();
        assert_eq!(blocks.len(), 1, "{blocks:?}");
        let lines = redis(&server.url(), &["list", "--zone", "export"]).out;
        let row = lines.lines().nth(1).unwrap();
        assert!(
            row.starts_with("user=ann\texport\tconcurrency limit\t2 held\t"),
            "{row}"
        );
    });
}

#[test]
fn log_of_a_long_window_is_counted_exactly() {
    for_every_version(async |server| {
        let limiter = limiter(&server.url()).await;
        let limit = Limit::per_hour(1_000).zone("z");
        for cost in (1..=3).cycle().take(120) {
            limiter.check(&limit.cost(cost), "ann").await.unwrap();
        }
        let short = Limit::new(1_000, Duration::from_millis(100)).zone("z");
        limiter.check(&short.cost(9), "ann").await.unwrap();
        // Time on a real server only passes by itself.
        thread::sleep(Duration::from_millis(150));
        limiter.check(&short.cost(4), "ann").await.unwrap();
        let entries = redis(&server.url(), &["show", "ann", "--json"]).entries();
        let used = |window: u64| {
            let found = entries
                .iter()
                .find(|entry| entry["window_ms"] == json!(window));
            found.map(|entry| entry["used"].clone())
        };
        assert_eq!(used(HOUR * 1_000), Some(json!(240)));
        // The key may have expired if this machine was slow.
        assert!(matches!(used(100), None | Some(Value::Number(_))));
        assert_ne!(used(100), Some(json!(13)));
    });
}

#[test]
fn top_shows_what_is_used_most_first() {
    for_every_version(async |server| {
        let limiter = limiter(&server.url()).await;
        let limit = Limit::per_hour(1_000).zone("z");
        for (name, cost) in [("ann", 5), ("bob", 50), ("eve", 500), ("joe", 7)] {
            limiter.check(&limit.cost(cost), name).await.unwrap();
        }
        let entries = redis(&server.url(), &["top", "--limit", "3", "--json"]).entries();
        let rows: Vec<_> = entries
            .iter()
            .map(|entry| (entry["identity"].as_str().unwrap(), entry["used"].as_u64()))
            .collect();
        let expected = [
            ("user=eve", Some(500)),
            ("user=bob", Some(50)),
            ("user=joe", Some(7)),
        ];
        assert_eq!(rows, expected);
    });
}

#[test]
fn search_ends_at_its_bounds_and_says_so() {
    let server = Server::start(ServerVersion::Redis7);
    let fill = "for i = 1, 20000 do redis.call('SET', 'other:' .. i, 'x') end";
    let _: Option<String> = server.cli(&["EVAL", fill, "0"]);
    let url = server.url();
    let said = redis(&url, &["list", "--max-keys", "3000", "--json"]).status(0);
    assert_eq!(said.json()["complete"], json!(false));
    let said = redis(&url, &["list", "--max-keys", "3000"]).status(0);
    assert!(said.err.contains("not all"), "{said:?}");
    // The scan ends early, so it is not known whether there is such an identity.
    let said = redis(&url, &["show", "ann", "--max-keys", "3000"]).status(2);
    assert!(said.err.contains("--max-keys"), "{said:?}");
    redis(&url, &["show", "ann"]).status(1);

    for zone in ["a", "b", "c", "d"] {
        redis(&url, &["block", "ann", "--for", "1h", "--zone", zone]).status(0);
    }
    let said = redis(&url, &["list", "--limit", "3", "--json"]).status(0);
    assert_eq!(
        (said.entries().len(), &said.json()["complete"]),
        (3, &json!(false))
    );
    let said = redis(&url, &["list", "--limit", "4", "--json"]).status(0);
    assert_eq!(
        (said.entries().len(), &said.json()["complete"]),
        (4, &json!(true))
    );
}

#[test]
fn foreign_keys_and_values_are_told_apart() {
    let server = Server::start(ServerVersion::Valkey9);
    for key in ["throttle:{user=ann}:z:f60", "throttle:{user=ann}:z:x"] {
        let _: String = server.cli(&["SET", key, "x"]);
    }
    for key in ["throttle:{user=ann}:z:l60", "throttle:{user=ann}:z:t60"] {
        let _: i64 = server.cli(&["RPUSH", key, "x", "y", "z"]);
    }
    let _: String = server.cli(&["SET", "throttle:{user=ann}:z:p", "x"]);
    // These keys are of no identity, or of the script alone.
    for key in [
        "throttle:{user=ann}:z:g1",
        "throttle:x",
        "throttle:{user=ann}",
    ] {
        let _: String = server.cli(&["SET", key, "x"]);
    }
    let once = "throttle:{user=ann}:once:0123456789abcdef";
    let _: String = server.cli(&["SET", once, ""]);
    let entries = redis(&server.url(), &["list", "--json"])
        .status(0)
        .entries();
    assert_eq!(entries.len(), 5, "{entries:?}");
    for entry in &entries {
        assert_eq!(entry["unreadable"], json!(true), "{entry}");
    }
    redis(&server.url(), &["reset", "ann", "--yes", "--permits"]).status(0);
    let keys: Vec<String> = server.cli(&["KEYS", "*"]);
    assert_eq!(keys.len(), 4, "{keys:?}");
}

#[test]
fn zone_cannot_steer_the_terminal() {
    let server = Server::start(ServerVersion::Redis7);
    let key = "throttle:{user=ann}:\u{1b}[2J\u{202e}:x";
    let _: String = server.cli(&["SET", key, "x"]);
    let said = redis(&server.url(), &["list"]).status(0);
    assert!(said.out.contains("\\u{1b}[2J\\u{202e}"), "{said:?}");
    assert!(!said.out.contains('\u{1b}'), "{said:?}");
}

#[test]
fn watch_shows_changes_and_survives_a_restart() {
    let mut server = Server::start(ServerVersion::Redis7);
    let url = server.url();
    let watch = ["redis", "--url", &url, "list", "--json", "--watch=20ms"];
    let mut child = command(&watch)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    // Each wait ends: the program writes a line every 20 ms or it has ended.
    let mut until = |count: usize| loop {
        let line = lines.next().expect("it goes on").unwrap();
        let document: Value = serde_json::from_str(&line).unwrap();
        if document["entries"].as_array().unwrap().len() == count {
            break;
        }
    };
    until(0);
    redis(&url, &["block", "ann", "--for", "1h", "--zone", "z"]).status(0);
    until(1);
    server.restart();
    until(0);
    child.kill().unwrap();
    child.wait().unwrap();
}
