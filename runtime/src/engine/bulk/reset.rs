//! [`BulkReset`]: a reset of a limit, a zone or everything, for every identity.

use std::{
    future::{Future, IntoFuture},
    pin::Pin,
    time::Duration,
};

use actix_throttle_core::{
    enforcement::Enforcement,
    key::KeySelection,
    limit::{Limit, LimitError},
};

use super::bounds::BOUNDS;
use crate::engine::{
    error::RateLimitError,
    handle::Engine,
    observe::Event,
    store::interface::{ScanBounds, Scanned, Store},
};

/// A reset for every identity, which begins once it is awaited.
/// [`RateLimiter::reset_limit`](crate::RateLimiter::reset_limit),
/// [`reset_zone`](crate::RateLimiter::reset_zone) and [`reset_all`](crate::RateLimiter::reset_all)
/// make it.
///
/// It forgets what was used, and ends blocks. Permits of concurrency limits stay: work that goes on
/// holds them.
///
/// On Redis it goes through the keys by `SCAN`, 500 at a time, and deletes by `UNLINK`, so that no
/// step holds the server up. In a cluster it goes from master to master; a key whose slot moves at
/// the same time may be missed, and the report is then incomplete. The in-memory store goes through
/// its table, 256 entries at a time. Requests are decided in between, and what they count
/// meanwhile may stay.
///
/// Under [`Enforcement::Off`](crate::Enforcement::Off) the store is not asked, so nothing is reset.
/// The report then has no keys, deleted or looked at, and says that it is complete.
///
/// This process forgets cached denials and leases at once, as for
/// [`reset`](crate::RateLimiter::reset); other processes do within a second.
///
/// # Errors
///
/// If the limit is invalid, or the store could not do it, whatever the failure mode. If some keys
/// were deleted before, the error's text says how many.
///
/// # Cancel safety
///
/// If the future is dropped midway, some of the keys have been deleted.
#[derive(Clone, Debug)]
#[must_use = "nothing is reset until this is awaited"]
pub struct BulkReset {
    engine: Engine,
    selection: Result<KeySelection, LimitError>,
    /// The policy that is reset; `None` for a zone, and for everything.
    policy: Option<&'static str>,
    /// Whether the policy has had further limits, which are known no longer.
    is_partial: bool,
    bounds: ScanBounds,
}

/// The result of a [`BulkReset`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResetReport(Scanned);

impl BulkReset {
    pub(crate) fn new(engine: Engine, selection: KeySelection) -> Self {
        Self {
            engine,
            selection: Ok(selection),
            policy: None,
            is_partial: false,
            bounds: BOUNDS,
        }
    }

    /// Resets limits of one policy. `is_partial`: it has had others, so the report is incomplete.
    pub(crate) fn of_policy(
        engine: Engine,
        policy: &'static str,
        limits: &[Limit],
        is_partial: bool,
    ) -> Self {
        let validity: Result<(), _> = limits.iter().try_for_each(Limit::validate);
        Self {
            engine,
            selection: validity.map(|()| KeySelection::of_limits(limits)),
            policy: Some(policy),
            is_partial,
            bounds: BOUNDS,
        }
    }

    /// Sets the most keys to look at, those of other applications in the same Redis included.
    /// Default: 1,000,000.
    pub fn max_keys(mut self, most: u64) -> Self {
        self.bounds.max_keys = most;
        self
    }

    /// Sets the longest time for it. Default: 30 s.
    pub fn max_time(mut self, longest: Duration) -> Self {
        self.bounds.max_time = longest;
        self
    }

    async fn run(self) -> Result<ResetReport, RateLimitError> {
        if self.engine.enforcement() == Enforcement::Off {
            return Ok(ResetReport(Scanned::NOTHING));
        }
        let selection = self.selection?;
        let deleted = self.engine.store().delete_selected(&selection, self.bounds);
        let scanned = deleted.await.map(|scanned| Scanned {
            is_complete: scanned.is_complete && !self.is_partial,
            ..scanned
        });
        // Waiters poll, also after an error: some keys may have been deleted.
        let now = self.engine.clock().now();
        self.engine.wait_queues().notify_every(now);
        let (deleted, is_complete) = match &scanned {
            Ok(scanned) => (scanned.deleted, scanned.is_complete),
            Err(error) => (error.deleted(), false),
        };
        if let Some(policy) = self.policy
            && (scanned.is_ok() || deleted > 0)
        {
            self.engine.observers().tell(|| Event::PolicyReset {
                policy,
                deleted,
                is_complete,
            });
        }
        Ok(ResetReport(scanned?))
    }
}

impl IntoFuture for BulkReset {
    type Output = Result<ResetReport, RateLimitError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl ResetReport {
    /// Returns the number of counters and blocks that were deleted.
    #[must_use]
    pub fn deleted(&self) -> u64 {
        self.0.deleted
    }

    /// Returns the approximate number of keys that were looked at.
    #[must_use]
    pub fn looked_at(&self) -> u64 {
        self.0.looked_at
    }

    /// Returns whether all keys were looked at. If not, the reset came to
    /// [`max_keys`](BulkReset::max_keys) or [`max_time`](BulkReset::max_time), or a slot of the
    /// cluster has moved: reset again. It is `true` under
    /// [`Enforcement::Off`](crate::Enforcement::Off), where no key was to be looked at.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.0.is_complete
    }
}
