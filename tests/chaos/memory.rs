//! Outages must not leak memory.

use std::{fs, time::Duration};

use actix_throttle::{FailureMode, Limit, ManualClock};

use super::{builder, revive};
use harness::{
    Server, ServerVersion,
    http::app::in_own_process,
    stores::{block_on, unique},
};

const OUTAGES: usize = 5;
/// The clients of each outage: far more than the in-memory store keeps.
const CLIENTS: usize = 20_000;
const MAX_KEYS: usize = 5_000;
/// Allowed growth in bytes. The clients of all outages would take several times as much.
const SLACK: usize = 5 << 20;

/// The resident memory of this process in bytes.
fn bytes() -> usize {
    let pages = fs::read_to_string("/proc/self/statm").unwrap();
    let resident = pages.split(' ').nth(1).unwrap();
    resident.parse::<usize>().unwrap() * 4096
}

#[test]
fn outages_leave_no_memory_behind() {
    if in_own_process("memory::outages_leave_no_memory_behind").is_some() {
        return;
    }
    let limit = Limit::per_hour(20).name("memory");
    block_on(async {
        let mut server = Server::start(ServerVersion::Redis7);
        let clock = ManualClock::new();
        let builder = builder(server.url())
            .deadline(Duration::from_secs(5))
            .failure_mode(FailureMode::Local)
            .max_keys(MAX_KEYS)
            .clock(clock.clone());
        let limiter = builder.build().await.unwrap();
        let mut used = Vec::new();
        for _ in 0..=OUTAGES {
            server.kill();
            for _ in 0..CLIENTS {
                let client = unique("client");
                for _ in 0..2 {
                    let decision = limiter.check(&limit, client.as_str()).await.unwrap();
                    assert!(decision.is_fallback());
                }
            }
            revive(&mut server, std::slice::from_ref(&limiter)).await;
            assert!(!limiter.check(&limit, "ann").await.unwrap().is_fallback());
            used.push(bytes());
        }
        // The first outage fills the store.
        let growth = used[OUTAGES].saturating_sub(used[0]);
        assert!(growth < SLACK, "{used:?}");
        assert_eq!(server.clients(), 1);
    });
}
