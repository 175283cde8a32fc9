//! Tests of batches and their queue.

use std::sync::LazyLock;

use actix_throttle_core::{
    check::{Charge, Mode},
    failure_mode::FailureMode,
    identity::Identity,
    key::{Key, Naming},
    limit::Limit,
};
use smallvec::smallvec;
use tracing::Span;

use super::*;
use crate::engine::store::key_hash::KeyHasher;

static HASHER: LazyLock<KeyHasher> = LazyLock::new(KeyHasher::new);
static NAMING: LazyLock<Naming> = LazyLock::new(Naming::default);

fn context() -> CallContext<'static> {
    CallContext {
        naming: &NAMING,
        hasher: &HASHER,
        now: None,
        #[cfg(feature = "cluster")]
        remember_for: None,
    }
}

const LIMIT: Limit = Limit::per_minute(10);

fn add(queue: &BatchQueue, name: &str) -> (oneshot::Receiver<BatchReply>, Dispatch) {
    add_in(queue, Mode::Charge, name)
}

fn add_in(
    queue: &BatchQueue,
    mode: Mode<'_>,
    name: &str,
) -> (oneshot::Receiver<BatchReply>, Dispatch) {
    let identity = Identity::new(name);
    let check = Check {
        mode,
        charges: smallvec![Charge {
            key: Key::counter(&identity, &LIMIT),
            limit: (&LIMIT).into(),
            cost: 1,
            failure_mode: FailureMode::Open,
        }],
    };
    queue.add(BatchKey::default(), &[check], &context(), Span::none())
}

#[test]
fn a_full_batch_goes_out_and_the_next_begins() {
    let queue = BatchQueue::default();
    let mut waiting = Vec::new();
    for count in 1..=2 * FULL {
        let (reply, task) = add(&queue, "ann");
        waiting.push(reply);
        match count {
            1 => assert!(matches!(task, Dispatch::DrainLoop), "an idle batch key"),
            // A drain loop may have taken the first batch before it is full; if not, it goes out on
            // its own.
            _ if count % FULL == 0 => assert!(matches!(task, Dispatch::SendOne), "{count}"),
            _ => assert!(matches!(task, Dispatch::Queued), "{count}"),
        }
    }
    for _ in 0..2 {
        let batch = queue.take(BatchKey::default()).expect("two of them");
        assert_eq!(batch.plain_requests.len(), FULL);
    }
    assert!(queue.next(BatchKey::default()).is_none());
    let (_answer, task) = add(&queue, "ann");
    assert!(matches!(task, Dispatch::DrainLoop), "idle again");
}

#[test]
fn one_of_many_keys_is_full_before() {
    let queue = BatchQueue::default();
    let identities: Vec<_> = (0..FULL_OF_KEYS)
        .map(|name| Identity::new(format!("user{name}")))
        .collect();
    let charges = identities.iter().map(|identity| Charge {
        key: Key::counter(identity, &LIMIT),
        limit: (&LIMIT).into(),
        cost: 1,
        failure_mode: FailureMode::Open,
    });
    let check = Check {
        mode: Mode::Charge,
        charges: charges.collect(),
    };
    let _answers = [(); 2].map(|()| {
        let check = std::slice::from_ref(&check);
        queue
            .add(BatchKey::default(), check, &context(), Span::none())
            .0
    });
    let batch = queue.take(BatchKey::default()).expect("two of them");
    let requests = batch.plain_requests.len() + batch.general_requests.len();
    assert_eq!(requests, 1);
}

#[test]
fn abandoned_request_is_not_sent() {
    let queue = BatchQueue::default();
    let stays = add(&queue, "ann").0;
    drop(add(&queue, "bob"));
    let batch = queue.take(BatchKey::default()).expect("one");
    let [plain, general] = batch.seal(&context());
    assert_eq!(plain.expect("somebody waits").1.len(), 1);
    assert!(general.is_none());
    drop(stays);

    drop(add(&queue, "ann"));
    let batch = queue.take(BatchKey::default()).expect("another");
    assert!(batch.seal(&context()).iter().all(Option::is_none));
}

/// The numbers of requests in the plain call and in the general one.
fn sealed(asked: &[(Mode<'static>, &str)]) -> [usize; 2] {
    let queue = BatchQueue::default();
    let asked = asked.iter().map(|(mode, name)| add_in(&queue, *mode, name));
    let _answers: Vec<_> = asked.collect();
    let batch = queue.take(BatchKey::default()).expect("one");
    let calls = batch.seal(&context());
    calls.map(|call| call.map_or(0, |(_, sent)| sent.len()))
}

const NAMES: [&str; 6] = ["ann", "bob", "carl", "dora", "eve", "finn"];

#[test]
fn plain_checks_get_a_call_of_their_own() {
    let mut asked: Vec<_> = NAMES.map(|name| (Mode::Charge, name)).into();
    assert_eq!(sealed(&asked), [6, 0]);
    asked.insert(3, (Mode::Peek, "gus"));
    assert_eq!(sealed(&asked), [6, 1]);
    asked.push((Mode::Charge, "gus"));
    asked.push((Mode::ChargeForReceipts, "hal"));
    assert_eq!(sealed(&asked), [6, 3], "behind the one with its key");
}

#[test]
fn a_check_about_the_zone_of_a_plain_one_takes_all_along() {
    let mut asked: Vec<_> = NAMES.map(|name| (Mode::Charge, name)).into();
    asked.push((Mode::Peek, "gus"));
    asked.push((Mode::Peek, "bob"));
    asked.push((Mode::Charge, "hal"));
    assert_eq!(sealed(&asked), [0, 9]);
}

#[test]
fn a_few_plain_checks_go_with_the_others() {
    let peek = (Mode::Peek, "gus");
    let charges = |count| NAMES[..count].iter().map(|name| (Mode::Charge, *name));
    let few: Vec<_> = charges(LEAST_PLAIN - 1).chain([peek]).collect();
    assert_eq!(sealed(&few), [0, LEAST_PLAIN]);
    let enough: Vec<_> = charges(LEAST_PLAIN).chain([peek]).collect();
    assert_eq!(sealed(&enough), [LEAST_PLAIN, 1]);
    assert_eq!(sealed(&[(Mode::Charge, "ann")]), [1, 0], "alone");
}
