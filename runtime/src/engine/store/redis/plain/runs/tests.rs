//! Tests of the runs that a batch of plain checks is packed into.

use actix_throttle_core::{
    check::{Charge, Check, Mode},
    failure_mode::FailureMode,
    identity::Identity,
    key::Key,
    limit::{Algorithm, Limit},
};

use super::*;

const MINUTE: Limit = Limit::per_minute(10).zone("minute");
const HOUR: Limit = Limit::per_hour(100).zone("hour");

/// Checks of limits for identities, each with a cost.
type Charged = [(&'static str, &'static Limit, u32)];

/// The packed runs of these checks, and the counts behind them.
fn packed(checks: &[&Charged]) -> (Vec<u8>, u64, Vec<u8>) {
    let (mut plain, mut keys) = (PlainChecks::default(), Vec::<(String, u64)>::new());
    for charges in checks {
        let identities: Vec<_> = charges
            .iter()
            .map(|(name, ..)| Identity::new(*name))
            .collect();
        let charges = charges.iter().zip(&identities);
        let check = Check {
            mode: Mode::Charge,
            charges: charges
                .map(|((_, limit, cost), identity)| Charge {
                    key: Key::counter(identity, limit),
                    limit: (*limit).into(),
                    cost: *cost,
                    failure_mode: FailureMode::Open,
                })
                .collect(),
        };
        assert!(plain.add(&check, |charge| {
            let name = (
                charge.key.identity.to_string(),
                charge.key.zone.len() as u64,
            );
            let known = keys.iter().position(|key| *key == name);
            known.unwrap_or_else(|| {
                keys.push(name);
                keys.len() - 1
            })
        }));
    }
    // Each key stands where it was first named.
    let key_indexes: Vec<u32> = (1..).take(keys.len()).collect();
    let runs = Runs::new(&plain, &vec![true; plain.len()], &key_indexes);
    (runs.packed, runs.count, runs.requests)
}

/// A run of so many checks, with the first key's index, the step and the cost of each limit.
fn run(checks: u8, limits: &[(u8, u8, u8)]) -> Vec<u8> {
    let mut packed = vec![0, checks, u8::try_from(limits.len()).unwrap()];
    for (key_index, stride, cost) in limits {
        packed.extend([0, *key_index, *stride, 0, 0, 0, *cost]);
    }
    packed
}

#[test]
fn keys_in_a_row_are_one_run() {
    let checks: [&Charged; 3] = [
        &[("ann", &MINUTE, 1)],
        &[("bob", &MINUTE, 1)],
        &[("eve", &MINUTE, 1)],
    ];
    assert_eq!(packed(&checks), (run(3, &[(1, 1, 1)]), 1, Vec::new()));
}

#[test]
fn equal_checks_are_counted_wherever_they_stand() {
    let ann: &Charged = &[("ann", &MINUTE, 1)];
    let bob: &Charged = &[("bob", &MINUTE, 1)];
    let (runs, count, requests) = packed(&[ann, bob, ann, ann]);
    assert_eq!((runs, count), (run(2, &[(1, 1, 1)]), 1));
    assert_eq!(requests, [0, 3, 0, 1]);
}

#[test]
fn stacked_limits_step_together_or_stay() {
    // All checks share the second limit's key.
    let checks: [&Charged; 3] = [
        &[("ann", &MINUTE, 1), ("all", &HOUR, 2)],
        &[("bob", &MINUTE, 1), ("all", &HOUR, 2)],
        &[("eve", &MINUTE, 1), ("all", &HOUR, 2)],
    ];
    let (runs, count, requests) = packed(&checks);
    // Keys: ann 1, all 2, bob 3, eve 4. The step from 1 to 3 is no step of 0 or 1.
    assert_eq!(count, 2);
    let expected = [
        run(1, &[(1, 0, 1), (2, 0, 2)]),
        run(2, &[(3, 1, 1), (2, 0, 2)]),
    ];
    assert_eq!((runs, requests), (expected.concat(), Vec::new()));
}

#[test]
fn checks_with_a_common_key_keep_their_order() {
    let one: &Charged = &[("ann", &MINUTE, 1)];
    let three: &Charged = &[("ann", &MINUTE, 3)];
    let (runs, count, requests) = packed(&[one, one, three, one]);
    assert_eq!(count, 3);
    let expected = [
        run(1, &[(1, 0, 1)]),
        run(1, &[(1, 0, 3)]),
        run(1, &[(1, 0, 1)]),
    ];
    assert_eq!(
        (runs, requests),
        (expected.concat(), vec![0, 2, 0, 1, 0, 1])
    );
}

#[test]
fn forms_are_sorted_if_no_key_is_common() {
    let checks: [&Charged; 4] = [
        &[("ann", &MINUTE, 1)],
        &[("ann", &HOUR, 1)],
        &[("bob", &MINUTE, 1)],
        &[("bob", &HOUR, 1)],
    ];
    // Keys in order of appearance: 1 and 3 are of the minute, 2 and 4 of the hour.
    let (_, count, _) = packed(&checks);
    assert_eq!(count, 4);
    let (plain, key_indexes) = (checks, [1, 3, 2, 4]);
    let mut all = PlainChecks::default();
    for (index, charges) in plain.iter().enumerate() {
        let [(name, limit, cost)] = charges else {
            unreachable!("one limit each")
        };
        let identity = Identity::new(*name);
        let check = Check {
            mode: Mode::Charge,
            charges: smallvec::smallvec![Charge {
                key: Key::counter(&identity, limit),
                limit: (*limit).into(),
                cost: *cost,
                failure_mode: FailureMode::Open,
            }],
        };
        assert!(all.add(&check, |_| index));
    }
    let runs = Runs::new(&all, &[true; 4], &key_indexes);
    let expected = [run(2, &[(1, 1, 1)]), run(2, &[(3, 1, 1)])];
    assert_eq!((runs.packed, runs.count), (expected.concat(), 2));
}

#[test]
fn a_leaky_bucket_has_room_for_one_whatever_its_cost() {
    const LEAKY: Limit = Limit::per_second(5).algorithm(Algorithm::LeakyBucket);
    let (runs, ..) = packed(&[&[("ann", &LEAKY, 4)]]);
    assert_eq!(runs, run(1, &[(1, 0, 1)]));
}
