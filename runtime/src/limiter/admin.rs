//! Administration by hand: reset, block and unblock, and what shadow limits would have denied. The
//! application calls it; no request does, and nothing is charged.

use std::{collections::BTreeMap, time::Duration};

use actix_throttle_core::{identity::Identity, limit::Limit};

use super::RateLimiter;
use crate::engine::error::RateLimitError;

impl RateLimiter {
    /// Resets what the identity has used of this limit, and ends a block in the limit's zone.
    ///
    /// Under [`Enforcement::Off`](crate::Enforcement::Off) the store is not asked, so nothing is
    /// reset.
    ///
    /// # Errors
    ///
    /// If the limit is invalid, or the store could not do it, whatever the failure mode.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped midway, the reset may have been done.
    pub async fn reset(
        &self,
        limit: &Limit,
        identity: impl Into<Identity>,
    ) -> Result<(), RateLimitError> {
        self.engine.reset(limit, &identity.into()).await
    }

    /// Blocks the identity in the limit's zone for `length` from now on, in place of a block that
    /// exists.
    ///
    /// Under [`Enforcement::Off`](crate::Enforcement::Off) the store is not asked, so nothing is
    /// blocked.
    ///
    /// # Errors
    ///
    /// If the limit is invalid, `length` is not from 1 ms to 366 days, or the store could not do
    /// it, whatever the failure mode.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped midway, the block may have been set.
    pub async fn block(
        &self,
        limit: &Limit,
        identity: impl Into<Identity>,
        length: Duration,
    ) -> Result<(), RateLimitError> {
        self.engine.block(limit, &identity.into(), length).await
    }

    /// Ends a block of the identity in the limit's zone.
    ///
    /// Under [`Enforcement::Off`](crate::Enforcement::Off) the store is not asked, so no block
    /// ends.
    ///
    /// # Errors
    ///
    /// If the limit is invalid, or the store could not do it, whatever the failure mode.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped midway, the block may have ended.
    pub async fn unblock(
        &self,
        limit: &Limit,
        identity: impl Into<Identity>,
    ) -> Result<(), RateLimitError> {
        self.engine.unblock(limit, &identity.into()).await
    }

    /// Returns how many requests each [shadow](crate::Limit::shadow) limit would have denied, by
    /// its name, since this limiter was built in this process. A limit that would have denied none
    /// is missing.
    ///
    /// ```
    /// # #[actix_web::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use actix_throttle::{Limit, RateLimiter};
    ///
    /// const CANDIDATE: Limit = Limit::per_minute(1).name("candidate").shadow();
    ///
    /// let limiter = RateLimiter::builder().memory().build().await?;
    /// for _ in 0..3 {
    ///     assert!(limiter.check(&CANDIDATE, "user:42").await?.is_allowed());
    /// }
    /// assert_eq!(limiter.shadow_denials()["candidate"], 2);
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn shadow_denials(&self) -> BTreeMap<&'static str, u64> {
        self.engine.shadow_stats().counts()
    }
}
