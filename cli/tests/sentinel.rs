//! The master that sentinels name.

use harness::{Sentinels, ServerVersion};

use crate::{redis, throttle};

#[test]
fn master_is_found_by_its_sentinels_after_a_failover_too() {
    let sentinels = Sentinels::start(ServerVersion::Redis7);
    let urls = sentinels.urls();
    let name = sentinels.service_name();
    let run = |more: &[&str]| redis(&urls[0], &[&["--sentinel", name], more].concat());
    let block = ["block", "ann", "--for", "1h", "--zone", "z"];
    run(&block).status(0);
    run(&["show", "ann"]).status(0);
    let found: i64 = sentinels
        .server(0)
        .cli(&["EXISTS", "throttle:{user=ann}:z:x"]);
    assert_eq!(found, 1);
    // The database is that of the master.
    let in_two = ["--master-url", "redis://any/2"];
    run(&[&in_two[..], &["show", "ann"]].concat()).status(1);
    run(&[&in_two[..], &block].concat()).status(0);
    run(&[&in_two[..], &["show", "ann"]].concat()).status(0);

    let said = redis(&urls[0], &["list"]).status(2);
    let hint = format!("`--sentinel NAME`; it knows `{name}`");
    assert!(said.err.contains(&hint), "{said:?}");
    let said = redis(&urls[0], &["--sentinel", "other", "list"]).status(2);
    assert!(said.err.contains(name), "{said:?}");
    // The first sentinel need not be there.
    let two = ["redis", "--url", "redis://127.0.0.1:1", "--url", &urls[1]];
    throttle(&[&two[..], &["--sentinel", name, "list"]].concat()).status(0);

    let master = sentinels.failover();
    run(&["block", "eve", "--for", "1h", "--zone", "z"]).status(0);
    let found: i64 = sentinels
        .server(master)
        .cli(&["EXISTS", "throttle:{user=eve}:z:x"]);
    assert_eq!(found, 1);
}
