//! Administration of counters by hand: reset, block and unblock. The application calls it; no
//! request does, and nothing is charged. The failure mode does not apply.

use std::time::Duration;

use actix_throttle_core::{identity::Identity, key::Key, limit::Limit, time::to_micros};

use super::RateLimiter;
use crate::engine::{error::RateLimitError, store::interface::Store};

impl RateLimiter {
    /// Resets what the identity has used of this limit, and ends a block in the limit's zone. If
    /// the future is dropped midway, the reset may have been done.
    ///
    /// # Errors
    ///
    /// If the limit is invalid, or the store could not do it, whatever the failure mode.
    pub async fn reset(
        &self,
        limit: &Limit,
        identity: impl Into<Identity>,
    ) -> Result<(), RateLimitError> {
        limit.validate()?;
        let identity = identity.into();
        let counter = Key::counter(&identity, limit);
        Ok(self.inner.store.delete(&[counter, counter.block()]).await?)
    }

    /// Blocks the identity in the limit's zone for `length` from now on, in place of a block that
    /// exists. If the future is dropped midway, the block may have been set.
    ///
    /// # Errors
    ///
    /// If the limit is invalid, `length` is not from 1 ms to 366 days, or the store could not do
    /// it, whatever the failure mode.
    pub async fn block(
        &self,
        limit: &Limit,
        identity: impl Into<Identity>,
        length: Duration,
    ) -> Result<(), RateLimitError> {
        limit.validate()?;
        limit.block(length).validate()?;
        let identity = identity.into();
        let key = Key::counter(&identity, limit).block();
        Ok(self.inner.store.block(&key, to_micros(length)).await?)
    }

    /// Ends a block of the identity in the limit's zone. If the future is dropped midway, the block
    /// may have ended.
    ///
    /// # Errors
    ///
    /// If the limit is invalid, or the store could not do it, whatever the failure mode.
    pub async fn unblock(
        &self,
        limit: &Limit,
        identity: impl Into<Identity>,
    ) -> Result<(), RateLimitError> {
        limit.validate()?;
        let identity = identity.into();
        let key = Key::counter(&identity, limit).block();
        Ok(self.inner.store.delete(&[key]).await?)
    }
}
