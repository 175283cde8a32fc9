//! What is done to counters by hand, apart from charging them.

use std::time::Duration;

use super::RateLimiter;
use crate::{
    clock, error::RateLimitError, identity::Identity, key::Key, limit::Limit,
    store::interface::Store,
};

impl RateLimiter {
    /// Forgets what the identity has used of this limit, and ends a block in its zone.
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

    /// Denies everything of the identity in the limit's zone for `length` from now on, in place of
    /// a block that is there.
    ///
    /// # Errors
    ///
    /// If the limit is invalid, the length is not from 1 ms to 366 days, or the store could not do
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
        Ok(self
            .inner
            .store
            .block(&key, clock::to_micros(length))
            .await?)
    }

    /// Ends a block of the identity in the limit's zone.
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
