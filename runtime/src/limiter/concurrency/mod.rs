//! Places that are held: renewed while they are, given back at the end, whatever that is.

mod hold_state;
mod owned_charge;

use std::sync::Arc;

use tokio::{runtime::Handle, sync::oneshot, task::JoinHandle};

use self::{hold_state::HoldState, owned_charge::check};
use super::{RateLimiter, Refund, decide::validate};
use crate::{
    clock::Micros,
    decision::{Decision, LimitStatus},
    error::RateLimitError,
    store::interface::{Mode, Outcome, Store, StoreError},
};

pub(crate) use self::owned_charge::{MaxWait, OwnedCharge};

impl RateLimiter {
    /// Charges all of them or none, holds the places among them, and keeps what rates were charged.
    ///
    /// Dropped before it is done, it takes no place: what the store grants to nobody is given back.
    pub(crate) async fn acquire_once(
        &self,
        wanted: Vec<OwnedCharge>,
    ) -> Result<Granted, RateLimitError> {
        tokio::task::coop::consume_budget().await;
        let sent = self.clock().now();
        let at_once = {
            let asked = check(Mode::ChargeForReceipts, &wanted);
            validate(&asked.charges)?;
            self.inner.store.try_decide(&asked)
        };
        if let Some(outcome) = at_once {
            let decided = Ok(Some(outcome));
            let (granted, keeper) = self.granted(wanted, decided, sent);
            let mut granted = granted?;
            if let Some(hold) = &mut granted.hold {
                // Without a runtime it is held for one expiry.
                let runtime = Handle::try_current().ok();
                hold.renewal = runtime
                    .zip(keeper)
                    .map(|(runtime, keep)| runtime.spawn(keep));
            }
            return Ok(granted);
        }
        let runtime = Handle::try_current().map_err(|error| RateLimitError::Unavailable {
            reason: error.to_string(),
            retry_after: None,
        })?;
        // A task of its own: it goes on if the one who asks leaves, and knows what is to be given
        // back.
        let (answer, answered) = oneshot::channel();
        let limiter = self.clone();
        let keeper = runtime.spawn(async move {
            let decided = limiter
                .ask_store(&check(Mode::ChargeForReceipts, &wanted))
                .await;
            let (granted, keep) = limiter.granted(wanted, decided, sent);
            // Who has left takes nothing: the hold is dropped here, and charges are given back.
            if let Err(Ok(granted)) = answer.send(granted) {
                granted.refund_all(&limiter).await;
            }
            if let Some(keep) = keep {
                keep.await;
            }
        });
        let ended = |_| RateLimitError::Unavailable {
            reason: "what asked the store was ended".into(),
            retry_after: None,
        };
        let mut granted = UnclaimedGrant {
            limiter: self,
            answered,
        }
        .claim()
        .await
        .map_err(ended)??;
        if let Some(hold) = &mut granted.hold {
            hold.renewal = Some(keeper);
        }
        Ok(granted)
    }

    /// How they stand, without taking anything.
    pub(crate) async fn peek_charges(
        &self,
        wanted: &[OwnedCharge],
    ) -> Result<Decision, RateLimitError> {
        self.decide(&check(Mode::Peek, wanted)).await
    }

    /// What comes of an answer to a check that was sent then: the hold of its places, and what is to
    /// keep them.
    fn granted(
        &self,
        mut wanted: Vec<OwnedCharge>,
        decided: Result<Option<Outcome>, StoreError>,
        sent: Micros,
    ) -> (
        Result<Granted, RateLimitError>,
        Option<impl Future<Output = ()> + Send + use<>>,
    ) {
        // It may have been done all the same.
        let is_unsure = decided.as_ref().is_err_and(StoreError::is_failure);
        let is_sure = decided.is_ok();
        let asked = check(Mode::ChargeForReceipts, &wanted);
        let concluded = self.into_decision(&asked, decided);
        let is_allowed = concluded
            .as_ref()
            .is_ok_and(|(decision, _)| decision.is_allowed());
        let mut granted = concluded.map(|(decision, receipts)| {
            let rates = Refund::of(&asked, &receipts).retain(|at| !wanted[at].is_concurrency());
            Granted {
                refund: Some(rates).filter(|refund| is_allowed && !refund.is_empty()),
                decision,
                hold: None,
            }
        });
        drop(asked);
        // A shadow that had no place has none to keep.
        let statuses = granted.iter().flat_map(|granted| granted.decision.limits());
        let without: Vec<usize> = statuses
            .filter(|status| is_allowed && status.is_violated())
            .map(LimitStatus::place)
            .collect();
        let mut place = 0..;
        wanted.retain(|one| {
            let has_none = place.next().is_some_and(|place| without.contains(&place));
            one.is_concurrency() && !has_none
        });
        if wanted.is_empty() || !(is_allowed || is_unsure) {
            return (granted, None);
        }
        let (hold, keep) = PermitHold::start(self.clone(), wanted, sent, is_sure || is_unsure);
        // Denied or in error, it is dropped here, and so given back.
        if let Ok(granted) = granted.as_mut()
            && is_allowed
        {
            granted.hold = Some(hold);
        }
        (granted, Some(keep))
    }
}

/// What came of a check that may hold places.
#[derive(Debug)]
pub struct Granted {
    pub(crate) decision: Decision,
    /// `None` if it was denied, asked for no place, or there was none to be had of a shadow.
    pub(crate) hold: Option<PermitHold>,
    /// What rates were charged, if that can be given back.
    pub(crate) refund: Option<Refund>,
}

impl Granted {
    /// Whether all of its places are certain. Without places they are.
    pub(crate) fn is_valid(&self) -> bool {
        self.hold.as_ref().is_none_or(PermitHold::is_valid)
    }

    /// Undoes it: the places come back when it is dropped, the charges here.
    async fn refund_all(mut self, limiter: &RateLimiter) {
        drop(self.hold.take());
        if let Some(refund) = self.refund.take() {
            limiter.refund(refund).await;
        }
    }
}

/// An answer on its way to somebody who may leave before it is taken out of its channel.
struct UnclaimedGrant<'a> {
    limiter: &'a RateLimiter,
    answered: oneshot::Receiver<Result<Granted, RateLimitError>>,
}

impl UnclaimedGrant<'_> {
    async fn claim(mut self) -> Result<Result<Granted, RateLimitError>, oneshot::error::RecvError> {
        (&mut self.answered).await
    }
}

impl Drop for UnclaimedGrant<'_> {
    fn drop(&mut self) {
        // Closed first: from here on what is sent comes back to the sender.
        self.answered.close();
        if let Ok(Ok(granted)) = self.answered.try_recv()
            && let Ok(runtime) = Handle::try_current()
        {
            let limiter = self.limiter.clone();
            runtime.spawn(async move { granted.refund_all(&limiter).await });
        }
    }
}

/// Places that are held. Dropped, they are given back: at once if that can be, else by a task.
#[derive(Debug)]
pub(crate) struct PermitHold {
    state: Arc<HoldState>,
    /// Dropped, it tells the keeper that it is over.
    end: Option<oneshot::Sender<()>>,
    renewal: Option<JoinHandle<()>>,
}

impl PermitHold {
    fn start(
        limiter: RateLimiter,
        places: Vec<OwnedCharge>,
        sent: Micros,
        may_count: bool,
    ) -> (Self, impl Future<Output = ()> + Send + use<>) {
        let (end, ended) = oneshot::channel();
        let held = Arc::new(HoldState::new(limiter, places, sent, may_count));
        let keep = Arc::clone(&held).renew_until_dropped(ended, sent);
        let hold = Self {
            state: held,
            end: Some(end),
            renewal: None,
        };
        (hold, keep)
    }

    /// Whether all places are certain: none was lost, and all were renewed in time.
    pub(crate) fn is_valid(&self) -> bool {
        self.state.is_valid()
    }

    /// Gives them back, and waits for that.
    pub(crate) async fn release(mut self) {
        let keeper = self.renewal.take();
        drop(self);
        if let Some(keeper) = keeper {
            // It does not panic, and is aborted only with its runtime.
            let _ = keeper.await;
        }
    }
}

impl Drop for PermitHold {
    fn drop(&mut self) {
        self.state.try_release();
        drop(self.end.take());
    }
}
