//! Tests of what the denial cache keeps and what ends it, in front of a store that counts its
//! calls.

mod age;
mod fixture;

use std::{pin::pin, sync::atomic::Ordering, time::Duration};

use actix_throttle_core::{
    algorithm::Wait,
    check::{Charge, Check, Mode, Receipts},
    decide::Precedence,
    decision::Verdict,
    failure_mode::FailureMode,
    identity::Identity,
    key::{Key, KeySelection},
    limit::{Algorithm, Limit},
};
use smallvec::smallvec;

use self::fixture::{Decides, RESET, SECOND, WAIT, begin, run};
use crate::engine::store::interface::{Miss, ScanBounds, Store};

const LIMIT: Limit = Limit::per_minute(10);

#[test]
fn another_question_has_another_answer() {
    run(async |fixture| {
        let bucket = Limit::per_minute(10)
            .algorithm(Algorithm::TokenBucket)
            .capacity(20);
        fixture.deny(&LIMIT, 1).await;
        fixture.deny(&LIMIT, 2).await;
        fixture.deny(&LIMIT.block(Duration::from_secs(1)), 1).await;
        fixture.deny(&Limit::per_minute(11), 1).await;
        fixture.deny(&bucket, 1).await;
        fixture.deny(&bucket.capacity(21), 1).await;
        let faster = Limit::per_minute(11).algorithm(Algorithm::TokenBucket);
        fixture.deny(&faster.capacity(20), 1).await;
        fixture.deny(&Limit::per_hour(10), 1).await;
        // All of these denials stay cached.
        assert!(!fixture.reaches(&LIMIT, 1).await);
    });
}

#[test]
fn an_identity_has_so_many_answers_at_most() {
    run(async |fixture| {
        for cost in 1..=9 {
            fixture.deny(&LIMIT, cost).await;
        }
        assert!(!fixture.reaches(&LIMIT, 2).await);
        assert!(fixture.reaches(&LIMIT, 1).await);
    });
}

#[test]
fn what_may_end_it_does() {
    run(async |fixture| {
        let refund = [None];
        for mode in [
            Mode::Charge,
            Mode::ChargeForReceipts,
            Mode::Lease,
            Mode::Refund(&refund),
        ] {
            fixture.deny(&LIMIT, 8).await;
            fixture.set(Decides::Allow);
            fixture.ask(mode, &[(&LIMIT, 2)]).await;
            assert!(fixture.reaches(&LIMIT, 8).await, "{mode:?}");
        }
        fixture.deny(&LIMIT, 8).await;
        fixture.set(Decides::Fail);
        assert!(fixture.ask(Mode::Charge, &[(&LIMIT, 2)]).await.is_none());
        assert!(fixture.reaches(&LIMIT, 8).await);

        fixture.deny(&LIMIT, 8).await;
        fixture.set(Decides::Allow);
        fixture.ask(Mode::Peek, &[(&LIMIT, 2)]).await;
        assert!(!fixture.reaches(&LIMIT, 8).await, "nothing was taken");
    });
}

/// A caller may ask right after a reset or a block is done; and both take effect although the
/// caller has dropped the future.
#[test]
fn a_reset_and_a_block_end_it_before_and_after() {
    run(async |fixture| {
        let key = fixture.key(&LIMIT);
        let keys = [key];
        let selection = KeySelection::of_limit(&LIMIT);
        let bounds = ScanBounds {
            max_keys: 1,
            max_time: Duration::ZERO,
        };
        for way in ["block", "reset", "bulk reset"] {
            let end = async || match way {
                "block" => {
                    let key = key.block();
                    let blocked = fixture.denials.block(&key, SECOND, Precedence::Longest);
                    blocked.await.map(drop)
                }
                "reset" => fixture.denials.delete(&keys).await,
                _ => {
                    let reset = fixture.denials.delete_selected(&selection, bounds);
                    reset.await.map(drop)
                }
            };
            fixture.deny(&LIMIT, 1).await;
            {
                let mut ended = pin!(end());
                begin(&mut ended).await;
            }
            fixture.deny(&LIMIT, 1).await;
            let mut ended = pin!(end());
            begin(&mut ended).await;
            fixture.deny(&LIMIT, 1).await;
            ended.await.expect("done");
            assert!(fixture.reaches(&LIMIT, 1).await);
            fixture.advance(SECOND);
        }
    });
}

#[test]
fn denial_asked_for_before_an_end_is_not_cached() {
    run(async |fixture| {
        let checks = [fixture.check(Mode::Charge, &[(&LIMIT, 1)])];
        let mut asked = pin!(fixture.denials.decide(&checks, Miss::UNASKED));
        begin(&mut asked).await;
        fixture
            .denials
            .delete(&[fixture.key(&LIMIT)])
            .await
            .expect("done");
        asked.await.expect("denied");
        assert!(fixture.reaches(&LIMIT, 1).await);
    });
}

#[test]
fn shadow_never_denies() {
    run(async |fixture| {
        let shadow = Limit::per_minute(5).shadow();
        fixture
            .ask(Mode::Charge, &[(&shadow, 1), (&LIMIT, 1)])
            .await;
        assert!(!fixture.reaches(&LIMIT, 1).await);
        assert!(fixture.reaches(&shadow, 1).await);
    });
}

#[test]
fn peeks_and_batches_reach_the_store() {
    run(async |fixture| {
        fixture.deny(&LIMIT, 1).await;
        let before = fixture.asked();
        fixture.ask(Mode::Peek, &[(&LIMIT, 1)]).await;
        let both = [(); 2].map(|()| fixture.check(Mode::Charge, &[(&LIMIT, 1)]));
        let outcomes = fixture.denials.decide(&both, Miss::UNASKED).await;
        assert_eq!(outcomes.map(|all| all.len()), Ok(2));
        assert_eq!(fixture.asked(), before + 2);
    });
}

#[test]
fn each_charge_has_a_receipt_if_asked_for() {
    run(async |fixture| {
        let other = Limit::per_hour(10);
        let both = [(&LIMIT, 1), (&other, 1)];
        fixture.ask(Mode::Charge, &both).await;
        let outcome = fixture.ask(Mode::ChargeForReceipts, &both).await;
        assert_eq!(fixture.asked(), 1);
        let receipts: Receipts = smallvec::SmallVec::<[_; 2]>::into_vec(smallvec![None, None]);
        assert_eq!(outcome.expect("remembered").receipts, receipts);
    });
}

/// While the count is 0, requests do not look into the cache, so it must be exact.
#[test]
fn how_many_there_are_is_known() {
    run(async |fixture| {
        let mut dice = fastrand::Rng::with_seed(1);
        let names: Vec<_> = (0..60)
            .map(|name| Identity::new(format!("user{name}")))
            .collect();
        for _ in 0..3_000 {
            let charge = Charge {
                key: Key::counter(&names[dice.usize(..names.len())], &LIMIT),
                limit: (&LIMIT).into(),
                cost: dice.u32(1..4),
                failure_mode: FailureMode::Open,
            };
            fixture.set(match dice.u8(..10) {
                0 => Decides::Fail,
                1 => Decides::Allow,
                _ => Decides::Deny {
                    stable_for: dice.u64(..SECOND),
                },
            });
            let check = Check {
                mode: Mode::Charge,
                charges: smallvec![charge],
            };
            let _ = fixture.denials.decide(&[check], Miss::UNASKED).await;
            fixture.advance(dice.u64(..SECOND / 20));
            let shards = fixture.denials.table.shards.iter();
            let zones: usize = shards.map(|shard| shard.lock().len()).sum();
            assert_eq!(fixture.denials.table.count.load(Ordering::SeqCst), zones);
        }
    });
}
