//! Tests of a full in-memory store with blocks that are over and kept for their offences.

use std::time::Duration;

use actix_throttle_core::{
    check::{Charge, Check, Mode, Outcome},
    decide::{Block, Precedence},
    failure_mode::FailureMode,
    identity::Identity,
    key::Key,
    limit::{Algorithm, Limit},
    time::Micros,
};

use super::{
    super::{Full, MemoryStore},
    ask, clock_at, len,
};

const SECOND: Micros = 1_000_000;
const START: Micros = SECOND;
const KEYS: usize = 1_000;
/// Blocks that last for a second at first, and whose offences are remembered for ten minutes.
const LOGIN: Limit = Limit::per_hour(1)
    .algorithm(Algorithm::FixedWindow)
    .zone("login")
    .block_steps(&[Duration::from_secs(1), Duration::from_secs(600)]);
const FRESH: Limit = Limit::per_day(10).zone("fresh");

fn store() -> MemoryStore {
    MemoryStore::new(KEYS, clock_at(START))
}

fn offender(index: usize) -> String {
    format!("offender{index}")
}

/// Starts the block of an offence, without a counter.
fn offend(store: &MemoryStore, identity: &str) {
    let identity = Identity::new(identity);
    let key = Key::counter(&identity, &LOGIN).block();
    let offence = |known, now| Some(Block::of_offence(known, &LOGIN, now));
    store.put_block(&key, offence).unwrap();
}

/// Returns the offences that are remembered.
fn offences(store: &MemoryStore, identity: &str) -> u8 {
    let identity = Identity::new(identity);
    let key = Key::counter(&identity, &LOGIN).block();
    let (hash, shard) = store.lock_one(&key);
    let block = shard.blocks.find(hash.fingerprint, store.clock.now());
    block.map_or(0, |block| block.offences)
}

fn remembered(store: &MemoryStore, count: usize) -> usize {
    let is_remembered = |index: &usize| offences(store, &offender(*index)) > 0;
    (0..count).filter(is_remembered).count()
}

fn charge<'a>(
    store: &MemoryStore,
    identities: &'a [Identity],
    limit: &'a Limit,
) -> Result<Outcome, Full> {
    let charges = identities.iter().map(|identity| Charge {
        key: Key::counter(identity, limit),
        limit: limit.into(),
        cost: 1,
        failure_mode: FailureMode::Open,
    });
    let (mode, charges) = (Mode::Charge, charges.collect());
    store.decide_one(&Check { mode, charges })
}

#[test]
fn ended_blocks_make_room_for_new_keys() {
    let mut store = store();
    for index in 0..KEYS {
        offend(&store, &offender(index));
    }
    let new = ["ann", "bob"].map(Identity::new);
    for few in [&new[..1], &new[..]] {
        assert_eq!(charge(&store, few, &FRESH), Err(Full), "they are in force");
    }
    store.clock = clock_at(START + 2 * SECOND);
    for few in [&new[..1], &new[..]] {
        assert!(charge(&store, few, &FRESH).unwrap().allowed);
    }
    assert_eq!(len(&store), KEYS);
    assert_eq!(store.size().evictions, 2);
    assert_eq!(remembered(&store, KEYS), KEYS - 2);
}

#[test]
fn blocks_in_force_stay_where_ended_ones_go() {
    let mut store = store();
    for index in 0..KEYS / 2 {
        offend(&store, &offender(index));
    }
    store.clock = clock_at(START + 2 * SECOND);
    let blocked = |index| Identity::new(format!("blocked{index}"));
    for index in 0..KEYS / 2 {
        let identity = blocked(index);
        let key = Key::counter(&identity, &LOGIN).block();
        store
            .start_block(&key, 60 * SECOND, Precedence::Latest)
            .unwrap();
    }
    for index in 0..KEYS {
        assert!(ask(&store, &format!("new{index}"), &FRESH).allowed);
    }
    for index in 0..KEYS / 2 {
        assert!(!charge(&store, &[blocked(index)], &LOGIN).unwrap().allowed);
    }
}

#[test]
fn offences_outlive_a_flood_of_fresh_counters() {
    let mut store = store();
    offend(&store, "ann");
    store.clock = clock_at(START + 2 * SECOND);
    for index in 0..20 * KEYS {
        ask(&store, &format!("invented{index}"), &FRESH);
    }
    assert_eq!(offences(&store, "ann"), 1);
    offend(&store, "ann");
    assert_eq!(offences(&store, "ann"), 2);
}

#[test]
fn used_up_counters_outlive_ended_blocks() {
    let mut store = store();
    for index in 0..KEYS / 10 {
        offend(&store, &offender(index));
    }
    store.clock = clock_at(START + 2 * SECOND);
    let single = Limit::per_hour(1).zone("single");
    let used_up = || (0..9 * KEYS / 10).map(|index| format!("used up {index}"));
    for identity in used_up() {
        assert!(ask(&store, &identity, &single).allowed);
    }
    assert_eq!(len(&store), KEYS);
    for index in 0..KEYS / 20 {
        ask(&store, &format!("new{index}"), &FRESH);
    }
    assert!(used_up().all(|identity| !ask(&store, &identity, &single).allowed));
    assert!(remembered(&store, KEYS / 10) < KEYS / 10);
}

#[test]
fn ended_blocks_leave_half_of_the_room_to_counters() {
    let mut store = store();
    for index in 0..KEYS {
        offend(&store, &offender(index));
    }
    store.clock = clock_at(START + 2 * SECOND);
    for index in 0..20 * KEYS {
        ask(&store, &format!("new{index}"), &FRESH);
    }
    assert_eq!(remembered(&store, KEYS), KEYS / 2);
    assert_eq!(len(&store), KEYS);
}

/// The room that a check makes stays if it cannot be decided. So such checks do not drop one block
/// after the other, and the room is there for a check that needs less.
#[test]
fn undecided_checks_forget_offences_once() {
    let mut store = store();
    offend(&store, "offender");
    store.clock = clock_at(START + 2 * SECOND);
    for index in 1..KEYS {
        let identity = Identity::new(format!("blocked{index}"));
        let key = Key::counter(&identity, &LOGIN).block();
        store
            .start_block(&key, 60 * SECOND, Precedence::Latest)
            .unwrap();
    }
    let new = ["ann", "bob"].map(Identity::new);
    for _ in 0..100 {
        assert_eq!(charge(&store, &new, &FRESH), Err(Full));
    }
    assert_eq!((len(&store), store.size().evictions), (KEYS - 1, 1));
    assert!(charge(&store, &new[..1], &FRESH).unwrap().allowed);
    assert_eq!(store.size().evictions, 1);
}

#[test]
fn only_ended_block_of_a_small_store_is_found() {
    const FEW: usize = 64;
    for ended in 0..FEW {
        let mut store = MemoryStore::new(FEW, clock_at(START));
        for index in 0..FEW {
            if index == ended {
                offend(&store, "offender");
                continue;
            }
            let identity = Identity::new(format!("blocked{index}"));
            let key = Key::counter(&identity, &LOGIN).block();
            store
                .start_block(&key, 60 * SECOND, Precedence::Latest)
                .unwrap();
        }
        store.clock = clock_at(START + 2 * SECOND);
        let new = [Identity::new("ann")];
        assert!(charge(&store, &new, &FRESH).unwrap().allowed, "{ended}");
    }
}
