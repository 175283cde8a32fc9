//! A denial cache in front of a store that replies as the test tells it to.

use std::{
    future::poll_fn,
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
    decide::Precedence,
    decision::{DecisionSource, Verdict},
    failure_mode::FailureMode,
    identity::{Identity, IdentityQuery},
    key::{Key, KeySelection},
    limit::Limit,
    stored::StoredEntry,
    time::Micros,
};
use parking_lot::Mutex;

use crate::engine::{
    clock::{Clock, ManualClock},
    store::{
        denial_cache::DenialCache,
        interface::{Miss, ScanBounds, Scanned, Store, StoreError},
    },
};

pub(super) const SECOND: Micros = 1_000_000;
pub(super) const WAIT: Micros = 10 * SECOND;
pub(super) const RESET: Micros = 20 * SECOND;

/// A store that decides as the test tells it to, and replies after one yield.
#[derive(Debug)]
pub(super) struct Scripted {
    pub(super) asked: AtomicU32,
    pub(super) decides: Mutex<Decides>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Decides {
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

    async fn block(&self, _: &Key<'_>, _: Micros, _: Precedence) -> Result<bool, StoreError> {
        tokio::task::yield_now().await;
        Ok(true)
    }

    fn close(&self) {}
}

pub(super) struct CacheFixture {
    pub(super) server: Arc<Scripted>,
    pub(super) clock: ManualClock,
    pub(super) denials: DenialCache<Arc<Scripted>>,
    pub(super) identity: Identity,
}

impl CacheFixture {
    pub(super) fn new() -> Self {
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

    pub(super) fn set(&self, decides: Decides) {
        *self.server.decides.lock() = decides;
    }

    pub(super) fn asked(&self) -> u32 {
        self.server.asked.load(Ordering::SeqCst)
    }

    pub(super) fn advance(&self, micros: Micros) {
        self.clock.advance(Duration::from_micros(micros));
    }

    pub(super) fn key<'a>(&'a self, limit: &'a Limit) -> Key<'a> {
        Key::counter(&self.identity, limit)
    }

    pub(super) fn check<'a>(&'a self, mode: Mode<'a>, limits: &[(&'a Limit, u32)]) -> Check<'a> {
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

    pub(super) async fn ask(&self, mode: Mode<'_>, limits: &[(&Limit, u32)]) -> Option<Outcome> {
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
    pub(super) async fn reaches(&self, limit: &Limit, cost: u32) -> bool {
        let before = self.asked();
        self.ask(Mode::Charge, &[(limit, cost)]).await;
        self.asked() != before
    }

    /// Puts a denial into the cache.
    pub(super) async fn deny(&self, limit: &Limit, cost: u32) {
        self.set(Decides::Deny { stable_for: WAIT });
        assert!(self.reaches(limit, cost).await);
        assert!(!self.reaches(limit, cost).await);
    }
}

pub(super) fn run(test: impl AsyncFnOnce(CacheFixture)) {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime can be built")
        .block_on(test(CacheFixture::new()));
}

/// Polls once: the check reaches the store and waits there.
pub(super) async fn begin<F: Future + Unpin>(work: &mut F) {
    poll_fn(|context| {
        assert!(std::pin::Pin::new(&mut *work).poll(context).is_pending());
        Poll::Ready(())
    })
    .await;
}
