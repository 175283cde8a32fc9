//! Resets of many keys while the table changes.

use std::time::Duration;

use actix_throttle_core::key::KeySelection;
use futures_util::FutureExt as _;

use super::*;
use crate::engine::store::interface::{ScanBounds, Store as _};

const LOGIN: Limit = Limit::per_day(1).zone("login");
const OTHER: Limit = Limit::per_day(1).zone("other");

const BOUNDS: ScanBounds = ScanBounds {
    max_keys: u64::MAX,
    max_time: Duration::from_secs(60),
};

#[test]
fn reset_takes_the_entries_of_its_limit_and_no_other() {
    let store = MemoryStore::new(1_000_000, clock_at(1_000_000));
    for index in 0..30_000 {
        assert!(ask(&store, &index.to_string(), &LOGIN).allowed);
        assert!(ask(&store, &index.to_string(), &OTHER).allowed);
    }
    let selection = KeySelection::of_limit(&LOGIN);
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let reset = store.delete_selected(&selection, BOUNDS);
    let scanned = runtime.unwrap().block_on(reset).unwrap();
    assert!(scanned.is_complete);
    assert_eq!((scanned.deleted, scanned.looked_at), (30_000, 60_000));
    assert_eq!(len(&store), 30_000);
    for index in 0..30_000 {
        assert!(ask(&store, &index.to_string(), &LOGIN).allowed);
        assert!(!ask(&store, &index.to_string(), &OTHER).allowed);
    }
}

#[test]
fn entries_that_come_and_go_meanwhile_hide_no_other() {
    let store = MemoryStore::new(4_000, clock_at(1_000_000));
    for index in 0..1_000 {
        assert!(ask(&store, &index.to_string(), &LOGIN).allowed);
    }
    let selection = KeySelection::of_limit(&LOGIN);
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.unwrap().block_on(async {
        let mut reset = std::pin::pin!(store.delete_selected(&selection, BOUNDS));
        let mut new = 0;
        let scanned = loop {
            if let Some(done) = reset.as_mut().now_or_never() {
                break done.unwrap();
            }
            for _ in 0..50 {
                new += 1;
                ask(&store, &format!("new{new}"), &OTHER);
            }
        };
        assert!(scanned.is_complete && new > 0, "{scanned:?}");
        assert_eq!(scanned.deleted, 1_000);
    });
    for index in 0..1_000 {
        assert!(ask(&store, &index.to_string(), &LOGIN).allowed, "{index}");
    }
}

#[test]
fn bound_on_keys_is_kept() {
    let store = MemoryStore::new(100_000, clock_at(1_000_000));
    for index in 0..2_000 {
        assert!(ask(&store, &index.to_string(), &LOGIN).allowed);
    }
    let bounds = ScanBounds {
        max_keys: 700,
        ..BOUNDS
    };
    let selection = KeySelection::all();
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let reset = store.delete_selected(&selection, bounds);
    let scanned = runtime.unwrap().block_on(reset).unwrap();
    assert!(!scanned.is_complete);
    assert_eq!((scanned.deleted, scanned.looked_at), (700, 700));
    assert_eq!(len(&store), 1_300);
}
