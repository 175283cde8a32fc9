//! One attempt to acquire: charges a check, holds its permits and keeps its receipts. It waits for
//! the store, and not for room.

use actix_throttle_core::{
    check::{Mode, Outcome},
    decision::{Decision, LimitStatus},
    time::Micros,
};
use tokio::{runtime::Handle, sync::oneshot};

use super::{
    grant::Granted,
    hold::PermitHold,
    owned_charge::{OwnedCharge, check},
};
use crate::engine::{
    charged::Charged,
    decide::{Tell, coop_yield, validate},
    error::RateLimitError,
    handle::Engine,
    store::interface::StoreError,
};

impl Engine {
    /// Charges all of them or none, holds the permits among them, and keeps the rates' receipts.
    /// The caller tells the observers what comes of it.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped midway, it holds no permit: a task releases and refunds what the
    /// store grants.
    pub(crate) async fn acquire_once(
        &self,
        charges: Vec<OwnedCharge>,
    ) -> Result<Granted, RateLimitError> {
        coop_yield().await;
        let sent = self.clock().now();
        let at_once = {
            let check = check(Mode::ChargeForReceipts, &charges);
            validate(&check.charges)?;
            self.try_decide(&check)
        };
        let miss = match at_once {
            Ok(outcome) => {
                let (granted, renewal) = self.granted(charges, Ok(outcome), sent);
                let mut granted = granted?;
                if let Some(hold) = &mut granted.hold {
                    // No task renews the permits if there is no runtime: they last for one expiry.
                    let runtime = Handle::try_current().ok();
                    hold.task = runtime
                        .zip(renewal)
                        .map(|(runtime, renewal)| runtime.spawn(renewal));
                }
                return Ok(granted);
            }
            Err(miss) => miss,
        };
        let runtime = Handle::try_current().map_err(|error| RateLimitError::Unavailable {
            reason: error.to_string(),
            retry_after: None,
        })?;
        // A task of its own asks the store: it goes on if the caller is dropped, and knows what to
        // refund.
        let (sender, grant) = oneshot::channel();
        let engine = self.clone();
        let renewal = runtime.spawn(async move {
            let check = check(Mode::ChargeForReceipts, &charges);
            let decided = engine.decide(&check, miss).await;
            drop(check);
            let (granted, renewal) = engine.granted(charges, decided, sent);
            // The caller was dropped: its hold is dropped here, and its charges are refunded.
            if let Err(Ok(granted)) = sender.send(granted) {
                granted.refund_all(&engine).await;
            }
            if let Some(renewal) = renewal {
                renewal.await;
            }
        });
        let ended = |_| RateLimitError::Unavailable {
            reason: "the task that asked the store was aborted with its runtime; acquire on a \
                     runtime that outlives the call"
                .into(),
            retry_after: None,
        };
        let mut granted = UnclaimedGrant {
            engine: self,
            grant,
        }
        .claim()
        .await
        .map_err(ended)??;
        if let Some(hold) = &mut granted.hold {
            hold.task = Some(renewal);
        }
        Ok(granted)
    }

    /// Returns how the limits stand, without charging anything.
    pub(crate) async fn peek_charges(
        &self,
        charges: &[OwnedCharge],
    ) -> Result<Decision, RateLimitError> {
        self.decision(&check(Mode::Peek, charges)).await
    }

    /// Returns what a check that was sent at `sent` was granted, and the task that renews its
    /// permits.
    fn granted(
        &self,
        mut charges: Vec<OwnedCharge>,
        decided: Result<Outcome, StoreError>,
        sent: Micros,
    ) -> (
        Result<Granted, RateLimitError>,
        Option<impl Future<Output = ()> + Send + use<>>,
    ) {
        // The store may have granted the permits in spite of a failure.
        let is_unsure = decided.as_ref().is_err_and(StoreError::is_failure);
        let is_sure = decided.is_ok();
        let check = check(Mode::ChargeForReceipts, &charges);
        let decision = self.to_decision(&check, decided, Tell::Nothing);
        let is_allowed = decision
            .as_ref()
            .is_ok_and(|(decision, _)| decision.is_allowed());
        let mut granted = decision.map(|(decision, receipts)| {
            let rates = Charged::of(&check, &receipts).retain(|at| charges[at].can_be_settled());
            Granted {
                refund: Some(rates).filter(|refund| is_allowed && !refund.is_empty()),
                decision,
                hold: None,
                is_told: false,
            }
        });
        drop(check);
        // A shadow limit without room has granted no permit to hold.
        let statuses = granted.iter().flat_map(|granted| granted.decision.limits());
        let without_permit: Vec<usize> = statuses
            .filter(|status| is_allowed && status.is_exceeded())
            .map(LimitStatus::index)
            .collect();
        let mut index = 0..;
        charges.retain(|one| {
            let has_none = index
                .next()
                .is_some_and(|index| without_permit.contains(&index));
            one.is_concurrency() && !has_none
        });
        if charges.is_empty() || !(is_allowed || is_unsure) {
            return (granted, None);
        }
        let (mut hold, renewal) =
            PermitHold::start(self.clone(), charges, sent, is_sure || is_unsure);
        // The hold is dropped here after a denial or an error, which releases its permits.
        if let Ok(granted) = granted.as_mut()
            && is_allowed
        {
            hold.tell_held();
            granted.hold = Some(hold);
        }
        (granted, Some(renewal))
    }
}

/// A grant on its way to a caller that may be dropped before it receives it.
struct UnclaimedGrant<'a> {
    engine: &'a Engine,
    grant: oneshot::Receiver<Result<Granted, RateLimitError>>,
}

impl UnclaimedGrant<'_> {
    async fn claim(mut self) -> Result<Result<Granted, RateLimitError>, oneshot::error::RecvError> {
        (&mut self.grant).await
    }
}

impl Drop for UnclaimedGrant<'_> {
    fn drop(&mut self) {
        // The channel is closed first: a grant that is sent from here on returns to the sender.
        self.grant.close();
        if let Ok(Ok(granted)) = self.grant.try_recv()
            && let Ok(runtime) = Handle::try_current()
        {
            let engine = self.engine.clone();
            runtime.spawn(async move { granted.refund_all(&engine).await });
        }
    }
}
