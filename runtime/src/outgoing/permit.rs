//! [`CallPermit`]: permission for one outbound call, by which the client reports its outcome.

use std::time::{Duration, SystemTime};

use actix_throttle_core::{identity::Identity, limit::Limit};

use super::{Outgoing, Response, retry_after};
use crate::engine::{Permit, log_lines::UNTOLD_PAUSES};

/// Shortest length of a block.
const LEAST: Duration = Duration::from_millis(1);

/// Longest length of a block.
const MOST: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// Permission to make a call, and what it was charged. If it is dropped, the charge stays.
#[derive(Debug)]
#[must_use = "tell it how the call went, or whatever happened counts"]
pub struct CallPermit {
    outgoing: Outgoing,
    charged: Vec<(Limit, Identity)>,
    /// `None`: no limit applies to the call.
    permit: Option<Permit>,
}

impl CallPermit {
    pub(super) fn new(
        outgoing: Outgoing,
        charged: Vec<(Limit, Identity)>,
        permit: Option<Permit>,
    ) -> Self {
        Self {
            outgoing,
            charged,
            permit,
        }
    }

    /// Reports the response of the upstream service: stops calls if it asks for that, and refunds
    /// the charge if its status is one of [`Outgoing::refund_on`]'s. If the store cannot be told,
    /// that is logged. If the future is dropped midway, calls may be stopped for some of the limits
    /// only.
    pub async fn completed(self, answer: Response<'_>) {
        // Block first: a refund wakes waiters.
        if let Some(wait) = self.wait(answer) {
            self.block(wait).await;
        }
        if self.is_refunded(answer.status) {
            self.not_sent().await;
        }
    }

    /// Reports that the call certainly did not reach the upstream service: refunds the charge. Once
    /// polled, the refund is done even if the future is dropped.
    pub async fn not_sent(self) {
        if let Some(permit) = self.permit {
            permit.refund().await;
        }
    }

    fn is_refunded(&self, status: u16) -> bool {
        let statuses = self.outgoing.refund_on.as_ref();
        statuses.is_some_and(|statuses| statuses.contains(status))
    }

    /// Returns how long the upstream service wants no calls, within the bounds of a block.
    fn wait(&self, answer: Response<'_>) -> Option<Duration> {
        let longest = self.outgoing.max_retry_after.min(MOST);
        if !matches!(answer.status, 429 | 503) || longest < LEAST {
            return None;
        }
        let wait = retry_after::wait(answer.retry_after?, answer.date, SystemTime::now())?;
        Some(wait.clamp(LEAST, longest))
    }

    async fn block(&self, wait: Duration) {
        for (limit, identity) in &self.charged {
            let blocked = self.outgoing.limiter.block(limit, identity, wait).await;
            if let Err(error) = blocked {
                UNTOLD_PAUSES.log(format_args!(
                    "an upstream service wants no calls for {wait:?}, and other processes were not told: {error}"
                ));
            }
        }
    }
}
