//! Blocks that get longer: what `show` and `list` say of them, and what `block` and `unblock` do.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use actix_throttle::{Limit, ManualClock};
use harness::{Server, ServerVersion, stores::block_on};
use serde_json::{Value, json};

use crate::{patient, redis};

const LOGIN: Limit = Limit::per_second(1).zone("login").block_steps(&[
    Duration::from_secs(600),
    Duration::from_secs(1_800),
    Duration::from_secs(3_600),
]);

fn for_every_version(test: impl AsyncFn(Server)) {
    for version in ServerVersion::ALL {
        block_on(test(Server::start(version)));
    }
}

/// Exceeds the limit at each of these times, in seconds before now.
async fn offend(server: &Server, before: &[u64]) {
    let clock = ManualClock::new();
    let builder = patient().redis_url(server.url()).clock(clock.clone());
    let limiter = builder.build().await.unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    for seconds in before {
        clock.set(now - Duration::from_secs(*seconds));
        for _ in 0..2 {
            limiter.check(&LOGIN, "ann").await.unwrap();
        }
    }
}

fn block_of(entries: &[Value]) -> &Value {
    let mut blocks = entries.iter().filter(|entry| entry["kind"] == "block");
    let block = blocks.next().expect("a block");
    assert_eq!(blocks.next(), None);
    block
}

#[test]
fn show_tells_the_step_of_a_block_and_what_the_next_one_is() {
    for_every_version(async |server| {
        let url = server.url();
        offend(&server, &[700, 0]).await;
        let entries = redis(&url, &["show", "ann", "--json"]).entries();
        let block = block_of(&entries);
        let left = block["blocked_for_ms"].as_u64().expect("it is in force");
        assert!((1_700_000..=1_800_000).contains(&left), "{block}");
        let offences = &block["offences"];
        assert_eq!(
            (&offences["count"], &offences["step"], &offences["steps"]),
            (&json!(2), &json!(2), &json!(3)),
            "{block}"
        );
        assert_eq!(offences["next_block_ms"], json!(3_600_000));
        let forgotten = offences["forgotten_after_ms"].as_u64().expect("a time");
        assert!((5_300_000..=5_400_000).contains(&forgotten), "{block}");
        let lines = redis(&url, &["show", "ann"]).out;
        let row = "user=ann\tlogin\tblock\tblocked, offence 2 of 3, next 1h\t";
        assert!(lines.contains(row), "{lines}");

        // A block by hand is no offence, and forgets none.
        redis(&url, &["block", "ann", "--for", "2h", "--zone", "login"]).status(0);
        let entries = redis(&url, &["show", "ann", "--json"]).entries();
        assert_eq!(block_of(&entries)["offences"]["count"], json!(2));
        redis(&url, &["unblock", "ann", "--yes"]).status(0);
        let entries = redis(&url, &["list", "--blocks", "--json"]).entries();
        assert_eq!(entries.len(), 0, "{entries:?}");
    });
}

#[test]
fn offences_after_a_block_are_shown_and_forgotten_by_hand() {
    for_every_version(async |server| {
        let url = server.url();
        offend(&server, &[700]).await;
        let entries = redis(&url, &["list", "--blocks", "--json"]).entries();
        let block = block_of(&entries);
        assert_eq!(block.get("blocked_for_ms"), None, "{block}");
        assert_eq!(block["offences"]["count"], json!(1), "{block}");
        assert_eq!(block["offences"]["next_block_ms"], json!(1_800_000));
        let lines = redis(&url, &["show", "ann"]).out;
        let row = "user=ann\tlogin\tblock\toffence 1 of 3, next 30m\t";
        assert!(lines.contains(row), "{lines}");
        redis(&url, &["unblock", "ann", "--yes"]).status(0);
        let entries = redis(&url, &["list", "--blocks", "--json"]).entries();
        assert_eq!(entries.len(), 0, "{entries:?}");
    });
}
