//! [`CallPermit`]: permission for one outbound call, by which the client reports its outcome.

use std::{
    slice,
    time::{Duration, SystemTime},
};

use actix_throttle_core::{identity::Identity, limit::Limit};

use super::{Outgoing, Response, pause::PAUSE, retry_after};
use crate::engine::{Permit, log_lines::UNTOLD_PAUSES};

/// The shortest length of a block.
const LEAST: Duration = Duration::from_millis(1);

/// The longest length of a block.
const MOST: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// Permission to make a call, and what it was charged. If it is dropped, the charge stays.
#[derive(Debug)]
#[must_use = "tell it how the call went, or whatever happened counts"]
pub struct CallPermit {
    outgoing: Outgoing,
    charged: Vec<(Limit, Identity)>,
    /// The host, if it is paused in place of the identities.
    host: Option<Identity>,
    /// The permit; `None` if no limit applies to the call.
    permit: Option<Permit>,
}

impl CallPermit {
    pub(super) fn new(
        outgoing: Outgoing,
        charged: Vec<(Limit, Identity)>,
        host: Option<Identity>,
        permit: Option<Permit>,
    ) -> Self {
        Self {
            outgoing,
            charged,
            host,
            permit,
        }
    }

    /// Reports the response of the upstream service: pauses calls if it asks for that, and refunds
    /// the charge if its status is one of [`Outgoing::refund_on`]'s. A pause or a block that ends
    /// later than the new pause stays as it is. If the store cannot be told, that is logged.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped midway, calls may be paused for some of the limits only.
    pub async fn completed(self, response: Response<'_>) {
        // The pause comes first, because a refund wakes waiters.
        if let Some(wait) = self.wait(response) {
            self.pause(wait).await;
        }
        if self.is_refunded(response.status) {
            self.not_sent().await;
        }
    }

    /// Reports that the call certainly did not reach the upstream service: refunds the charge.
    ///
    /// # Cancel safety
    ///
    /// Once polled, the refund is done even if the future is dropped.
    pub async fn not_sent(self) {
        if let Some(permit) = self.permit {
            permit.refund().await;
        }
    }

    /// Corrects what the call was charged, once: its limits that have a cost count `actual` in its
    /// place. A higher cost is charged though there may be no room. See [`Permit::settle`].
    ///
    /// Pauses are no cost and stay as they are.
    ///
    /// Returns `false` if it was settled before, or if the store could not be told, which is
    /// logged.
    ///
    /// ```
    /// # #[actix_web::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use actix_throttle::{Limit, Outgoing, RateLimiter, outgoing::{Request, Response}};
    ///
    /// const TOKENS: Limit = Limit::per_minute(10_000).cost(500).name("tokens");
    ///
    /// let limiter = RateLimiter::builder().memory().build().await?;
    /// let outgoing = Outgoing::new(&limiter).limit_by(TOKENS, |_| "model");
    /// let permit = outgoing.acquire(&Request::new("POST", "models.example", "/chat")).await?;
    /// // ... the answer took 1,200 tokens ...
    /// permit.settle(1_200).await;
    /// permit.completed(Response::new(200)).await;
    /// assert_eq!(limiter.remaining(&TOKENS, "model").await?, 8_800);
    /// # Ok(()) }
    /// ```
    ///
    /// # Cancel safety
    ///
    /// Once polled, the settlement is done even if the future is dropped.
    pub async fn settle(&self, actual: u32) -> bool {
        match &self.permit {
            Some(permit) => permit.settle(actual).await,
            None => true,
        }
    }

    fn is_refunded(&self, status: u16) -> bool {
        let statuses = self.outgoing.refund_on.as_ref();
        statuses.is_some_and(|statuses| statuses.contains(status))
    }

    /// Returns how long the upstream service wants no calls, within the bounds of a block.
    fn wait(&self, response: Response<'_>) -> Option<Duration> {
        let longest = self.outgoing.max_retry_after.min(MOST);
        if longest < LEAST || !self.outgoing.pauses.is_on(response.status) {
            return None;
        }
        let (date, now) = (response.date, SystemTime::now());
        let retry_after = |value| retry_after::wait(value, date, now);
        let wait = response.retry_after.and_then(retry_after).or_else(|| {
            let (remaining, reset) = (response.remaining?, response.reset?);
            let is_read = self.outgoing.pauses.reads_reset();
            is_read.then(|| retry_after::until_reset(remaining, reset, date, now))?
        })?;
        Some(wait.clamp(LEAST, longest))
    }

    /// Pauses calls for `wait` at least: a pause or a block that ends later stays as it is.
    async fn pause(&self, wait: Duration) {
        let host = self.host.as_ref().map(|host| (PAUSE, host.clone()));
        let paused = match &host {
            Some(host) => slice::from_ref(host),
            None => &self.charged,
        };
        let engine = self.outgoing.limiter.engine();
        for (limit, identity) in paused {
            if let Err(error) = engine.pause(limit, identity, wait).await {
                UNTOLD_PAUSES.log(format_args!(
                    "an upstream service wants no calls for {wait:?}, and other processes were not told: {error}"
                ));
            }
        }
    }
}
