//! Decides charges one by one, by calls that name one key: the counter, or the block above it.
//!
//! The charges of a cluster slot are decided like this while the slot is being migrated. A block is
//! read before anything is charged, and started before a denial is returned. Requests in between
//! are concurrent to this one, so either order is correct.

use actix_throttle_core::{
    check::{Charge, Charges, Check, Mode, Outcome},
    key::Key,
    time::Micros,
};
use futures_util::future::try_join;
use tokio::time::Instant;

use crate::engine::store::redis::{
    batch::BatchKey, call_builder::SingleKey, script::Call, store::RedisStore,
};
use crate::engine::store::{fingerprint::Fingerprint, interface::StoreError};

impl RedisStore {
    /// Decides one charge. A denial starts the block that its limit asks for. For a charge, the
    /// caller must have read the existing block before.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped midway, it may have charged; a denial may not have started its
    /// block.
    pub(crate) async fn ask_single_key(
        &self,
        mode: Mode<'_>,
        charge: &Charge<'_>,
        deadline: Instant,
    ) -> Result<Outcome, StoreError> {
        let check = |mode| Check {
            mode,
            charges: Charges::from_elem(*charge, 1),
        };
        match mode {
            Mode::Peek | Mode::Refund(_) | Mode::Settle(_) => {
                let decided = self.decide_single_key(check(mode), deadline);
                let (mut outcome, left) =
                    try_join(decided, self.blocked_for(charge, deadline)).await?;
                outcome.block_for(charge, left, mode.can_deny());
                Ok(outcome)
            }
            Mode::Lease => {
                let left = self.blocked_for(charge, deadline).await?;
                if left == 0 {
                    return self.decide_single_key(check(mode), deadline).await;
                }
                let mut outcome = self.decide_single_key(check(Mode::Peek), deadline).await?;
                outcome.block_for(charge, left, false);
                (outcome.allowed, outcome.receipts) = (true, vec![None]);
                Ok(outcome)
            }
            // Blocks do not matter to the renewal of a permit, nor to a forced charge.
            Mode::Renew | Mode::Force => self.decide_single_key(check(mode), deadline).await,
            Mode::Charge | Mode::ChargeForReceipts => {
                let mut outcome = self.decide_single_key(check(mode), deadline).await?;
                let denied = outcome.verdicts.first();
                if denied.is_some_and(|verdict| charge.starts_block(verdict, outcome.allowed)) {
                    let left = self.begin_block(charge, deadline).await?;
                    outcome.block_for(charge, left, true);
                }
                Ok(outcome)
            }
        }
    }

    /// Charges the one charge of a check, unless the identity is blocked.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped midway, it may have charged; a denial may not have started its
    /// block.
    pub(crate) async fn charge_single_key(
        &self,
        mode: Mode<'_>,
        charge: &Charge<'_>,
        deadline: Instant,
    ) -> Result<Outcome, StoreError> {
        let left = self.blocked_for(charge, deadline).await?;
        if left == 0 {
            return self.ask_single_key(mode, charge, deadline).await;
        }
        let check = Check {
            mode: Mode::Peek,
            charges: Charges::from_elem(*charge, 1),
        };
        let mut outcome = self.decide_single_key(check, deadline).await?;
        outcome.block_for(charge, left, true);
        if mode == Mode::ChargeForReceipts {
            outcome.receipts = vec![None];
        }
        Ok(outcome)
    }

    /// Decides a check by its counter alone, in a batch with other requests' checks of that
    /// counter.
    async fn decide_single_key(
        &self,
        check: Check<'_>,
        deadline: Instant,
    ) -> Result<Outcome, StoreError> {
        let Some(charge) = check.charges.first() else {
            return Err(StoreError::nothing());
        };
        let fingerprint = self.executor.upkeep().hasher.hash(&charge.key).fingerprint;
        self.ask_key(SingleKey::Counter, fingerprint, check, deadline)
            .await
    }

    /// Returns how long the block above this counter lasts, in microseconds; 0 if there is none.
    async fn blocked_for(
        &self,
        charge: &Charge<'_>,
        deadline: Instant,
    ) -> Result<Micros, StoreError> {
        let key = charge.key.block();
        let fingerprint = self.executor.upkeep().hasher.hash(&key).fingerprint;
        let check = Check {
            mode: Mode::Peek,
            charges: Charges::from_elem(*charge, 1),
        };
        let asked = self.ask_key(SingleKey::Block, fingerprint, check, deadline);
        Ok(match asked.await?.verdicts.first() {
            Some(verdict) if verdict.blocked => verdict.reset,
            _ => 0,
        })
    }

    async fn ask_key(
        &self,
        only: SingleKey,
        fingerprint: Fingerprint,
        check: Check<'_>,
        deadline: Instant,
    ) -> Result<Outcome, StoreError> {
        let batch_key = BatchKey::Key(only, fingerprint);
        let outcomes = self.executor.decide(batch_key, &[check], deadline).await?;
        outcomes.into_iter().next().ok_or_else(StoreError::nothing)
    }

    /// Starts the block that this charge asks for, and returns its length in microseconds. A block
    /// that another request has started meanwhile stays as it is.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped midway, the block may have started or not.
    async fn begin_block(
        &self,
        charge: &Charge<'_>,
        deadline: Instant,
    ) -> Result<Micros, StoreError> {
        let call = Call::block_unless_blocked(&self.context(), charge);
        self.executor.run(&call, deadline).await?;
        match charge.limit.steps() {
            [] => Ok(charge.limit.block_micros()),
            // Only Redis knows which offence it is.
            _ => self.blocked_for(charge, deadline).await,
        }
    }

    /// Deletes each key by a command of its own, because the keys may be in different slots.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped midway, it has deleted some of them.
    pub(crate) async fn delete_each(&self, keys: &[Key<'_>]) -> Result<(), StoreError> {
        for key in keys {
            let mut command = redis::cmd("DEL");
            command.arg(key.text(&self.executor.upkeep().naming));
            self.executor.send(&command).await?;
        }
        Ok(())
    }
}
