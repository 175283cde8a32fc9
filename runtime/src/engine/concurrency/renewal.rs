//! Renews held permits until the hold is dropped, then releases them. The hold and its renewal task
//! share this; no request waits for it.

use std::{sync::Arc, time::Duration};

use actix_throttle_core::{
    algorithm::{Receipt, Wait},
    check::{Check, Mode, Outcome},
    time::Micros,
};
use parking_lot::Mutex;
use tokio::sync::{Notify, oneshot};

use super::{
    hold_state::HoldState,
    owned_charge::{OwnedCharge, check},
};
use crate::engine::{backoff::Backoff, decide::Tell, handle::Engine, observe::Event};

/// The pauses before a failed release is retried.
const BACKOFF: Backoff = Backoff {
    first: 100_000,
    longest: 2_000_000,
};

/// The permits that a hold shares with its renewal task. The lock is held for one step of the
/// state, never across an await.
#[derive(Debug)]
pub(super) struct Renewal {
    engine: Engine,
    permits: Vec<OwnedCharge>,
    state: Mutex<HoldState>,
    /// The notice that the release was tried once.
    release_tried: Notify,
}

impl Renewal {
    /// Creates the renewal of permits that were requested at `sent`.
    pub(super) fn new(
        engine: Engine,
        permits: Vec<OwnedCharge>,
        sent: Micros,
        may_count: bool,
    ) -> Self {
        let until = sent.saturating_add(expiry(&permits));
        Self {
            engine,
            permits,
            state: Mutex::new(HoldState::new(until, may_count)),
            release_tried: Notify::new(),
        }
    }

    /// Whether all permits are certain: none was lost, and all were renewed in time.
    pub(super) fn is_valid(&self) -> bool {
        let now = self.engine.clock().now();
        self.state.lock().is_valid(now)
    }

    /// Renews the permits until the hold is dropped, then releases them.
    ///
    /// # Cancel safety
    ///
    /// A task runs this, and only the end of its runtime aborts the task. The permits are then not
    /// released: they count until they expire.
    pub(super) async fn renew_until_dropped(
        self: Arc<Self>,
        mut ended: oneshot::Receiver<()>,
        mut sent: Micros,
    ) {
        let mut is_renewed = true;
        loop {
            // The permits are renewed three times in an expiry, and sooner after a failed renewal.
            let pause = expiry(&self.permits) / if is_renewed { 3 } else { 10 };
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

    /// Renews the permits at `sent`. Returns `false` if the store could not and no failure mode
    /// decides in its place.
    async fn renew(&self, sent: Micros) -> bool {
        let renewal = check(Mode::Renew, &self.permits);
        let is_kept = match self.engine.outcome(&renewal).await {
            Ok(outcome) => {
                self.state.lock().renewal_sent();
                still_holds(&renewal, &outcome)
            }
            Err(error) => {
                if error.is_failure() {
                    self.state.lock().renewal_sent();
                }
                match self.engine.to_decision(&renewal, Err(error), Tell::Nothing) {
                    Ok((decision, _)) => {
                        let mut permits = decision.enforced();
                        !permits.any(|permit| permit.is_exceeded())
                    }
                    Err(_) => return false,
                }
            }
        };
        let until = sent.saturating_add(expiry(&self.permits));
        let now = self.engine.clock().now();
        self.state.lock().renewed(is_kept, until, now);
        true
    }

    /// Releases the permits if that needs no I/O.
    pub(super) fn try_release(&self) {
        let receipts = self.receipts();
        let release = check(Mode::Refund(&receipts), &self.permits);
        if self.engine.try_decide(&release).is_ok() {
            self.state.lock().released();
            self.notify_waiters();
        }
    }

    /// Releases the permits, and retries with backoff until they have expired. A second release of
    /// a permit does no harm, because it is released by its id.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped midway, a permit that is not released yet counts until it expires.
    async fn release(&self) {
        if !self.state.lock().released() {
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
            self.release_tried.notify_one();
            let next = clock.now().saturating_add(BACKOFF.after(attempts));
            if done.is_ok() || next >= end || !self.state.lock().may_count() {
                return;
            }
            clock.sleep_until(next).await;
        }
    }

    /// Waits until the release was tried once.
    pub(super) async fn release_tried(&self) {
        self.release_tried.notified().await;
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

/// Returns the shortest expiry among the permits.
fn expiry(permits: &[OwnedCharge]) -> Micros {
    let expiries = permits.iter().filter_map(OwnedCharge::expiry);
    expiries.min().unwrap_or(0)
}

/// Whether all permits are still held. A shadow limit's permit may be lost: it denies nothing.
fn still_holds(renewal: &Check<'_>, outcome: &Outcome) -> bool {
    let mut permits = renewal.charges.iter().zip(&outcome.verdicts);
    permits.all(|(charge, verdict)| charge.limit.is_shadow() || verdict.wait == Wait::None)
}
