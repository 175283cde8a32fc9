//! The remaining quota of a limit, once or as a stream. It never charges.

use std::{pin::Pin, time::Duration};

use actix_throttle_core::{
    check::Mode,
    decision::LimitStatus,
    identity::Identity,
    limit::Limit,
    time::{Micros, to_micros},
};
use futures_core::Stream;
use futures_util::stream;

use crate::engine::{error::RateLimitError, handle::Engine};

/// The shortest pause of a watch, in microseconds, as each item asks the store.
const LEAST: Micros = 1_000;

/// The state of a stream of the remaining quota.
type Remaining = Pin<Box<dyn Stream<Item = Result<u32, RateLimitError>> + Send>>;

impl Engine {
    /// Returns how much is left of a limit, without charging anything.
    pub(crate) async fn remaining(
        &self,
        limit: &Limit,
        identity: &Identity,
    ) -> Result<u32, RateLimitError> {
        let decision = self.check(Mode::Peek, limit, identity).await?;
        let status = decision.limits().first();
        Ok(status.map_or(limit.quota(), LimitStatus::remaining))
    }

    /// Streams how much is left of a limit: now, and whenever it has changed.
    pub(crate) fn watch(&self, limit: &Limit, identity: Identity, every: Duration) -> Remaining {
        let watch = RemainingWatch {
            engine: self.clone(),
            limit: *limit,
            identity,
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

/// A limit that is polled, and what was left of it when a poll last differed.
struct RemainingWatch {
    engine: Engine,
    limit: Limit,
    identity: Identity,
    pause: Micros,
    /// The time of the next poll.
    next: Option<Micros>,
    shown: Option<u32>,
}

impl RemainingWatch {
    async fn next(&mut self) -> Result<u32, RateLimitError> {
        loop {
            let clock = self.engine.clock();
            if let Some(next) = self.next {
                clock.sleep_until(next).await;
            }
            self.next = Some(clock.now().saturating_add(self.pause));
            let left = self.engine.remaining(&self.limit, &self.identity).await?;
            if self.shown.replace(left) != Some(left) {
                return Ok(left);
            }
        }
    }
}
