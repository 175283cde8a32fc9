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
    let identity = Identity::new(name);
    let check = Check {
        mode: Mode::Charge,
        charges: smallvec![Charge {
            key: Key::counter(&identity, &LIMIT),
            limit: (&LIMIT).into(),
            cost: 1,
            failure_mode: FailureMode::Open,
        }],
    };
    queue.add(Lane::default(), &[check], &context(), Span::none())
}

#[test]
fn a_full_batch_goes_out_and_the_next_begins() {
    let queue = BatchQueue::default();
    let mut waiting = Vec::new();
    for count in 1..=2 * FULL {
        let (answer, task) = add(&queue, "ann");
        waiting.push(answer);
        match count {
            1 => assert!(matches!(task, Dispatch::DrainLoop), "an idle lane"),
            // A drain loop may have taken the first batch before it is full; if not, it goes out on
            // its own.
            _ if count % FULL == 0 => assert!(matches!(task, Dispatch::SendOne), "{count}"),
            _ => assert!(matches!(task, Dispatch::Queued), "{count}"),
        }
    }
    for _ in 0..2 {
        let batch = queue.take(Lane::default()).expect("two of them");
        assert_eq!(batch.requests.len(), FULL);
    }
    assert!(queue.next(Lane::default()).is_none());
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
            .add(Lane::default(), check, &context(), Span::none())
            .0
    });
    let batch = queue.take(Lane::default()).expect("two of them");
    assert_eq!(batch.requests.len(), 1);
}

#[test]
fn abandoned_request_is_not_sent() {
    let queue = BatchQueue::default();
    let stays = add(&queue, "ann").0;
    drop(add(&queue, "bob"));
    let batch = queue.take(Lane::default()).expect("one");
    let (_call, sent) = batch.seal(&context()).expect("somebody waits");
    assert_eq!(sent.0.len(), 1);
    drop(stays);

    drop(add(&queue, "ann"));
    let batch = queue.take(Lane::default()).expect("another");
    assert!(batch.seal(&context()).is_none());
}
