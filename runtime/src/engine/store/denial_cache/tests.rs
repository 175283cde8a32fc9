//! Tests of what the denial cache keeps and what ends it, in front of a store that counts its
//! calls.

mod age;

use std::{
    future::poll_fn,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    task::Poll,
    time::Duration,
};

use actix_throttle_core::{
    algorithm::Wait,
    check::{Charge, Check, Mode, Outcome, Outcomes, Receipts},
    decision::{DecisionSource, Verdict},
    failure_mode::FailureMode,
    identity::{Identity, IdentityQuery},
    key::{Key, KeySelection},
    limit::{Algorithm, Limit},
    stored::StoredEntry,
    time::Micros,
};
use parking_lot::Mutex;
use smallvec::smallvec;

use super::DenialCache;
use crate::engine::{
    clock::{Clock, ManualClock},
    store::interface::{Miss, ScanBounds, Scanned, Store, StoreError},
};

const SECOND: Micros = 1_000_000;
const WAIT: Micros = 10 * SECOND;
const RESET: Micros = 20 * SECOND;

/// A store that decides as the test tells it to, and replies after one yield.
#[derive(Debug)]
struct Scripted {
    asked: AtomicU32,
    decides: Mutex<Decides>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Decides {
    Deny { stable_for: Micros },
    Allow,
    Fail,
}

impl Store for Arc<Scripted> {
    async fn decide(&self, checks: &[Check<'_>], _miss: Miss) -> Result<Outcomes, StoreError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let decides = *self.decides.lock();
        tokio::task::yield_now().await;
        let stable_for = match decides {
            Decides::Deny { stable_for } => stable_for,
            Decides::Allow => 0,
            Decides::Fail => return Err(StoreError::new("gone")),
        };
        let allowed = decides == Decides::Allow;
        let verdict = Verdict {
            wait: if allowed { Wait::None } else { Wait::For(WAIT) },
            blocked: false,
            remaining: 1,
            reset: RESET,
            more: WAIT,
        };
        let outcomes = checks.iter().map(|check| Outcome {
            allowed,
            verdicts: check.charges.iter().map(|_| verdict).collect(),
            receipts: Receipts::new(),
            mirror_receipts: Receipts::new(),
            stable_for,
            source: DecisionSource::Store,
        });
        Ok(outcomes.collect())
    }

    async fn delete(&self, _: &[Key<'_>]) -> Result<(), StoreError> {
        tokio::task::yield_now().await;
        Ok(())
    }

    async fn delete_selected(
        &self,
        _: &KeySelection,
        _: ScanBounds,
    ) -> Result<Scanned, StoreError> {
        tokio::task::yield_now().await;
        Ok(Scanned::default())
    }

    async fn read_identity(
        &self,
        _: &IdentityQuery,
        _: ScanBounds,
    ) -> Result<(Vec<StoredEntry>, Scanned), StoreError> {
        Ok((Vec::new(), Scanned::default()))
    }

    async fn block(&self, _: &Key<'_>, _: Micros) -> Result<(), StoreError> {
        tokio::task::yield_now().await;
        Ok(())
    }

    fn close(&self) {}
}

struct CacheFixture {
    server: Arc<Scripted>,
    clock: ManualClock,
    denials: DenialCache<Arc<Scripted>>,
    identity: Identity,
}

impl CacheFixture {
    fn new() -> Self {
        let clock = ManualClock::new();
        let server = Arc::new(Scripted {
            asked: AtomicU32::new(0),
            decides: Mutex::new(Decides::Deny { stable_for: WAIT }),
        });
        let of = Clock::Manual(clock.clone());
        Self {
            denials: DenialCache::new(Arc::clone(&server), SECOND, 1_000, of),
            server,
            clock,
            identity: Identity::new("ann"),
        }
    }

    fn set(&self, decides: Decides) {
        *self.server.decides.lock() = decides;
    }

    fn asked(&self) -> u32 {
        self.server.asked.load(Ordering::SeqCst)
    }

    fn advance(&self, micros: Micros) {
        self.clock.advance(Duration::from_micros(micros));
    }

    fn key<'a>(&'a self, limit: &'a Limit) -> Key<'a> {
        Key::counter(&self.identity, limit)
    }

    fn check<'a>(&'a self, mode: Mode<'a>, limits: &[(&'a Limit, u32)]) -> Check<'a> {
        let charge = |(limit, cost): &(&'a Limit, u32)| Charge {
            key: self.key(limit),
            limit: (*limit).into(),
            cost: *cost,
            failure_mode: FailureMode::Open,
        };
        Check {
            mode,
            charges: limits.iter().map(charge).collect(),
        }
    }

    async fn ask(&self, mode: Mode<'_>, limits: &[(&Limit, u32)]) -> Option<Outcome> {
        let check = self.check(mode, limits);
        match self.denials.try_decide(&check) {
            Ok(outcome) => Some(outcome),
            Err(miss) => {
                let outcomes = self.denials.decide(&[check], miss).await;
                outcomes.ok().and_then(|all| all.into_iter().next())
            }
        }
    }

    /// Returns whether a check reaches the store.
    async fn reaches(&self, limit: &Limit, cost: u32) -> bool {
        let before = self.asked();
        self.ask(Mode::Charge, &[(limit, cost)]).await;
        self.asked() != before
    }

    /// Puts a denial into the cache.
    async fn deny(&self, limit: &Limit, cost: u32) {
        self.set(Decides::Deny { stable_for: WAIT });
        assert!(self.reaches(limit, cost).await);
        assert!(!self.reaches(limit, cost).await);
    }
}

fn run(test: impl AsyncFnOnce(CacheFixture)) {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime can be built")
        .block_on(test(CacheFixture::new()));
}

/// Polls once: the check reaches the store and waits there.
async fn begin<F: Future + Unpin>(work: &mut F) {
    poll_fn(|context| {
        assert!(std::pin::Pin::new(&mut *work).poll(context).is_pending());
        Poll::Ready(())
    })
    .await;
}

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
                "block" => fixture.denials.block(&key.block(), SECOND).await,
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
