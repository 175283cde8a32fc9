//! What is left of a limit, once or as a stream. The application calls it; it never charges.

use std::{pin::Pin, time::Duration};

use actix_throttle_core::{
    decision::LimitStatus,
    identity::Identity,
    limit::Limit,
    time::{Micros, to_micros},
};
use futures_core::Stream;
use futures_util::stream;

use crate::{engine::error::RateLimitError, limiter::RateLimiter};

/// Shortest pause of a watch, in microseconds, as each item asks the store.
const LEAST: Micros = 1_000;

impl RateLimiter {
    /// Returns how much is left of a limit, without charging anything.
    ///
    /// # Errors
    ///
    /// If [`peek`](Self::peek) would return one. While the store cannot be asked and the failure
    /// mode is `Open`, the result is the whole quota.
    pub async fn remaining(
        &self,
        limit: &Limit,
        identity: impl Into<Identity>,
    ) -> Result<u32, RateLimitError> {
        let decision = self.peek(limit, identity).await?;
        let status = decision.limits().first();
        Ok(status.map_or(limit.quota(), LimitStatus::remaining))
    }

    /// Streams how much is left of a limit: now, and whenever it has changed, in whichever process.
    /// The store is polled once per `every`, at most once a millisecond, and only while the next
    /// item is awaited. Needs a tokio runtime.
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
        let watch = Watch {
            limiter: self.clone(),
            limit: *limit,
            identity: identity.into(),
            pause: to_micros(every).max(LEAST),
            next: None,
            shown: None,
        };
        Box::pin(stream::unfold(watch, |mut watch| async {
            let item = watch.next().await;
            Some((item, watch))
        }))
    }
}

struct Watch {
    limiter: RateLimiter,
    limit: Limit,
    identity: Identity,
    pause: Micros,
    /// Time of the next poll.
    next: Option<Micros>,
    shown: Option<u32>,
}

impl Watch {
    async fn next(&mut self) -> Result<u32, RateLimitError> {
        loop {
            let clock = self.limiter.clock();
            if let Some(next) = self.next {
                clock.sleep_until(next).await;
            }
            self.next = Some(clock.now().saturating_add(self.pause));
            let left = self
                .limiter
                .remaining(&self.limit, self.identity.clone())
                .await?;
            if self.shown.replace(left) != Some(left) {
                return Ok(left);
            }
        }
    }
}
