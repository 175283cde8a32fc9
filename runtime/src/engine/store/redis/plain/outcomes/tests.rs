//! Tests of states that the plain script would not send: each is decided or an error, and none
//! panics.

use std::time::Duration;

use actix_throttle_core::{
    check::{Charge, Check, Mode},
    failure_mode::FailureMode,
    identity::Identity,
    key::Key,
    limit::{Algorithm, Refill},
    stored::bytes::push,
};
use proptest::{collection::vec, prelude::*};
use smallvec::smallvec;

use super::*;

const ALGORITHMS: [(Algorithm, Refill); 6] = [
    (Algorithm::SlidingWindow, Refill::Greedy),
    (Algorithm::SlidingWindowCounter, Refill::Greedy),
    (Algorithm::FixedWindow, Refill::Greedy),
    (Algorithm::TokenBucket, Refill::Greedy),
    (Algorithm::TokenBucket, Refill::Interval),
    (Algorithm::LeakyBucket, Refill::Greedy),
];

/// Times and windows, small and large.
const NUMBERS: [(u32, Duration); 5] = [
    (1, Duration::from_millis(1)),
    (7, Duration::from_secs(60)),
    (999_999, Duration::from_secs(60)),
    (1, Duration::from_secs(366 * 24 * 60 * 60)),
    (1_000_000, Duration::from_secs(366 * 24 * 60 * 60)),
];

/// A check of one charge.
fn plain(limit: &Limit) -> PlainChecks {
    let identity = Identity::new("ann");
    let mut checks = PlainChecks::default();
    let check = Check {
        mode: Mode::Charge,
        charges: smallvec![Charge {
            key: Key::counter(&identity, limit),
            limit: limit.into(),
            cost: 1,
            failure_mode: FailureMode::Open,
        }],
    };
    assert!(checks.add(&check, |_| 0), "{limit:?} is plain");
    checks
}

/// Bytes of which many are the least and the greatest.
fn bytes(length: impl Into<proptest::collection::SizeRange>) -> impl Strategy<Value = Vec<u8>> {
    vec(prop_oneof![Just(0), Just(0xff), any::<u8>()], length)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_state_is_decided(
        algorithm in proptest::sample::select(&ALGORITHMS[..]),
        numbers in proptest::sample::select(&NUMBERS[..]),
        state in bytes(28),
        now in 0..1_u64 << 53,
        found in bytes(0..40),
    ) {
        let ((algorithm, refill), (times, window)) = (algorithm, numbers);
        let limit = Limit::new(times, window).algorithm(algorithm);
        let limit = if refill == Refill::Interval { limit.refill(refill) } else { limit };
        prop_assert!(limit.validate().is_ok(), "{limit:?}");
        let checks = plain(&limit);
        let width = width(&limit);
        let mut reply = state[..width].to_vec();
        push(&mut reply, now, 7);
        let (mut read, read_now) = states(&reply, &checks, &[1]).expect("a state and a time");
        prop_assert_eq!(read_now, now);
        let outcome = decide(&checks, 0, &mut read, now);
        prop_assert_eq!(outcome.verdicts.len(), 1);
        prop_assert_eq!(outcome.allowed, outcome.verdicts[0].wait == Wait::None);
        prop_assert!(outcome.verdicts[0].remaining <= limit.quota(), "{outcome:?}");
        // A second request is decided on what the first one has left.
        decide(&checks, 0, &mut read, now);
        // A reply with look-ups in logs behind it, which may be cut off.
        reply.extend(found);
        if let Some((mut read, now)) = states(&reply, &checks, &[1]) {
            decide(&checks, 0, &mut read, now);
        }
    }

    #[test]
    fn short_reply_is_an_error(
        algorithm in proptest::sample::select(&ALGORITHMS[..]),
        reply in bytes(0..34),
    ) {
        let (algorithm, refill) = algorithm;
        let limit = Limit::per_minute(10).algorithm(algorithm);
        let limit = if refill == Refill::Interval { limit.refill(refill) } else { limit };
        let needed = width(&limit) + 7;
        prop_assert_eq!(
            states(&reply[..reply.len().min(needed - 1)], &plain(&limit), &[1]).is_none(),
            true
        );
    }
}
