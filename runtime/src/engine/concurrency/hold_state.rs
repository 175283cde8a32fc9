//! State of held permits: renewed until the hold is dropped, then released. The hold and its
//! renewal task share it; no request waits for it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use actix_throttle_core::{
    algorithm::{Receipt, Wait},
    check::{Check, Mode, Outcome},
    time::Micros,
};
use tokio::sync::oneshot;

use super::owned_charge::{OwnedCharge, check};
use crate::engine::{backoff::Backoff, handle::Engine, observe::Event};

/// The pauses before a failed release is retried.
const BACKOFF: Backoff = Backoff {
    first: 100_000,
    longest: 2_000_000,
};

/// The state that a hold shares with its renewal task. Its atomics are relaxed: each is read by
/// itself, and guards no other data.
#[derive(Debug)]
pub(super) struct HoldState {
    engine: Engine,
    permits: Vec<OwnedCharge>,
    /// The time until which the store keeps the permits, by this process's clock. It counts from
    /// before the request was sent, so it is never later than the store's own expiry.
    valid_until: AtomicU64,
    is_lost: AtomicBool,
    /// Whether the store may count the permits.
    may_count: AtomicBool,
    is_released: AtomicBool,
}

impl HoldState {
    /// Creates the state of permits that were requested at `sent`.
    pub(super) fn new(
        engine: Engine,
        permits: Vec<OwnedCharge>,
        sent: Micros,
        may_count: bool,
    ) -> Self {
        let held = Self {
            engine,
            permits,
            valid_until: AtomicU64::new(0),
            is_lost: AtomicBool::new(false),
            may_count: AtomicBool::new(may_count),
            is_released: AtomicBool::new(false),
        };
        held.extend(sent);
        held
    }

    /// Whether all permits are certain: none was lost, and all were renewed in time.
    pub(super) fn is_valid(&self) -> bool {
        !self.is_lost.load(Ordering::Relaxed) && !self.is_over()
    }

    /// Renews the permits until the hold is dropped, then releases them.
    pub(super) async fn renew_until_dropped(
        self: Arc<Self>,
        mut ended: oneshot::Receiver<()>,
        mut sent: Micros,
    ) {
        let mut is_renewed = true;
        loop {
            // The permits are renewed three times in an expiry, and sooner after a failed renewal.
            let pause = self.expiry() / if is_renewed { 3 } else { 10 };
            let renewal = Some(sent.saturating_add(pause));
            let clock = self.engine.clock();
            if clock.timeout_at(renewal, &mut ended).await.is_some() {
                break;
            }
            // A renewal is not cancelled midway: it could reach the store after the release.
            sent = clock.now();
            is_renewed = self.renew(sent).await;
        }
        self.release().await;
    }

    /// Returns the shortest expiry among the permits.
    fn expiry(&self) -> Micros {
        let expiries = self.permits.iter().filter_map(OwnedCharge::expiry);
        expiries.min().unwrap_or(0)
    }

    /// Whether the store may have let the permits expire.
    fn is_over(&self) -> bool {
        self.engine.clock().now() >= self.valid_until.load(Ordering::Relaxed)
    }

    fn extend(&self, sent: Micros) {
        let until = sent.saturating_add(self.expiry());
        self.valid_until.fetch_max(until, Ordering::Relaxed);
    }

    /// Renews the permits at `sent`. Returns `false` if the store could not and no failure mode
    /// decides in its place.
    async fn renew(&self, sent: Micros) -> bool {
        let renewal = check(Mode::Renew, &self.permits);
        let kept = match self.engine.outcome(&renewal).await {
            Ok(outcome) => {
                self.may_count.store(true, Ordering::Relaxed);
                still_holds(&renewal, &outcome)
            }
            Err(error) => {
                if error.is_failure() {
                    self.may_count.store(true, Ordering::Relaxed);
                }
                match self.engine.to_decision_untold(&renewal, Err(error)) {
                    Ok((decision, _)) => {
                        let mut permits = decision.enforced();
                        !permits.any(|permit| permit.is_exceeded())
                    }
                    Err(_) => return false,
                }
            }
        };
        if !kept || self.is_over() {
            // Once lost, a permit stays lost: even if a later renewal succeeds, another holder may
            // have run in between, so exclusivity can no longer be promised.
            self.is_lost.store(true, Ordering::Relaxed);
        }
        self.extend(sent);
        true
    }

    /// Releases the permits if that needs no I/O.
    pub(super) fn try_release(&self) {
        let receipts = self.receipts();
        let release = check(Mode::Refund(&receipts), &self.permits);
        if self.engine.try_decide(&release).is_ok() {
            self.is_released.store(true, Ordering::Relaxed);
            self.notify_waiters();
        }
    }

    /// Releases the permits, and retries with backoff until they have expired. A second release of
    /// a permit does no harm, because it is released by its id.
    async fn release(&self) {
        if self.is_released.swap(true, Ordering::Relaxed) {
            return;
        }
        let receipts = self.receipts();
        let release = check(Mode::Refund(&receipts), &self.permits);
        let clock = self.engine.clock();
        let longest = self.permits.iter().filter_map(OwnedCharge::expiry).max();
        let end = clock.now().saturating_add(longest.unwrap_or(0));
        for attempts in 1.. {
            let done = self.engine.outcome(&release).await;
            // Waiters are woken after a failure, too: the local fallback may have released the
            // permits.
            self.notify_waiters();
            let next = clock.now().saturating_add(BACKOFF.after(attempts));
            if done.is_ok() || next >= end || !self.may_count.load(Ordering::Relaxed) {
                return;
            }
            clock.sleep_until(next).await;
        }
    }

    /// Tells the observers that the permits are held, and returns since when; `None` without
    /// observers.
    pub(super) fn tell_held(&self) -> Option<Micros> {
        let observers = self.engine.observers();
        if !observers.is_heard() {
            return None;
        }
        for permit in &self.permits {
            let policy = permit.policy();
            observers.tell(|| Event::PermitHeld { policy });
        }
        Some(self.engine.clock().now())
    }

    /// Tells the observers that the permits are held no longer, if they know of them.
    pub(super) fn tell_released(&self, held_since: Option<Micros>) {
        let Some(since) = held_since else {
            return;
        };
        let time = self.engine.clock().now().saturating_sub(since);
        for permit in &self.permits {
            self.engine.observers().tell(|| Event::PermitReleased {
                policy: permit.policy(),
                time: Duration::from_micros(time),
            });
        }
    }

    fn receipts(&self) -> Vec<Option<Receipt>> {
        let permits = self.permits.iter();
        permits
            .map(|one| Some(Receipt::of_permit(one.permit_id)))
            .collect()
    }

    /// Wakes the first waiter for each permit in this process.
    fn notify_waiters(&self) {
        let now = self.engine.clock().now();
        for permit in &self.permits {
            self.engine.wait_queues().notify(&permit.key(), now);
        }
    }
}

/// Whether all permits are still held. A shadow limit's permit may be lost: it denies nothing.
fn still_holds(renewal: &Check<'_>, outcome: &Outcome) -> bool {
    let mut permits = renewal.charges.iter().zip(&outcome.verdicts);
    permits.all(|(charge, verdict)| charge.limit.is_shadow() || verdict.wait == Wait::None)
}
