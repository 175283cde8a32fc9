//! The remaining quota of a limit, once or as a stream. The application calls it; it never charges.

use std::{pin::Pin, time::Duration};

use actix_throttle_core::{identity::Identity, limit::Limit};
use futures_core::Stream;

use super::RateLimiter;
use crate::engine::error::RateLimitError;

impl RateLimiter {
    /// Returns how much is left of a limit, without charging anything.
    ///
    /// # Errors
    ///
    /// If [`peek`](Self::peek) would return one. While the store cannot be asked and the failure
    /// mode is `Open`, the result is the whole quota.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future has no effect.
    pub async fn remaining(
        &self,
        limit: &Limit,
        identity: impl Into<Identity>,
    ) -> Result<u32, RateLimitError> {
        self.engine.remaining(limit, &identity.into()).await
    }

    /// Streams how much is left of a limit: now, and whenever it has changed, in whichever process.
    /// The store is polled once per `every`, at most once a millisecond, and only while the next
    /// item is awaited. The stream needs a tokio runtime.
    ///
    /// ```
    /// # #[actix_web::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::{pin::pin, time::Duration};
    /// use actix_throttle::{Limit, RateLimiter};
    /// use futures_util::StreamExt;
    ///
    /// const CALLS: Limit = Limit::per_minute(5).name("calls");
    ///
    /// let limiter = RateLimiter::builder().memory().build().await?;
    /// let mut left = pin!(limiter.watch(&CALLS, "ann", Duration::from_millis(10)));
    /// assert_eq!(left.next().await.transpose()?, Some(5));
    /// limiter.check(&CALLS, "ann").await?;
    /// assert_eq!(left.next().await.transpose()?, Some(4));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// An item is an error if [`remaining`](Self::remaining) returns one; the stream goes on.
    pub fn watch(
        &self,
        limit: &Limit,
        identity: impl Into<Identity>,
        every: Duration,
    ) -> Pin<Box<dyn Stream<Item = Result<u32, RateLimitError>> + Send>> {
        self.engine.watch(limit, identity.into(), every)
    }
}
