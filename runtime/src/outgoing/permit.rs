use std::time::{Duration, SystemTime};

use actix_web::http::StatusCode;
use log::Level;

use super::{Outgoing, Response, retry_after};
use crate::{identity::Identity, limit::Limit, log_throttle::LogThrottle, permit::Permit};

static NOT_BLOCKED: LogThrottle = LogThrottle::new(Level::Warn);

/// The shortest that a block can be.
const LEAST: Duration = Duration::from_millis(1);

/// The longest.
const MOST: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// That a call may be made, and what it was charged. Dropped, that stays charged.
#[derive(Debug)]
#[must_use = "tell it how the call went, or whatever happened counts"]
pub struct CallPermit {
    outgoing: Outgoing,
    charged: Vec<(Limit, Identity)>,
    /// `None`: nothing limits the call.
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

    /// The peer has answered: stops calls if it asks for that, and gives the charge back if its
    /// status is one of [`Outgoing::refund_on`]'s. If the store cannot be told, there is a line in
    /// the log.
    pub async fn completed(self, answer: Response<'_>) {
        // First, for a refund calls those who wait.
        if let Some(wait) = self.wait(answer) {
            self.block(wait).await;
        }
        if self.is_refunded(answer.status) {
            self.not_sent().await;
        }
    }

    /// The call has not reached the peer for certain: gives the charge back.
    pub async fn not_sent(self) {
        if let Some(permit) = self.permit {
            permit.refund().await;
        }
    }

    fn is_refunded(&self, status: u16) -> bool {
        let statuses = self.outgoing.refund_on.as_ref();
        let status = StatusCode::from_u16(status).ok();
        statuses
            .zip(status)
            .is_some_and(|(statuses, status)| statuses.contains(status))
    }

    /// For how long the peer wants no more calls, within bounds.
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
                NOT_BLOCKED.log(format_args!(
                    "a peer wants no calls for {wait:?}, and other processes were not told: {error}"
                ));
            }
        }
    }
}
