//! [`PeekIdentity`]: a look at everything that is counted for one identity.

use std::{
    future::{Future, IntoFuture},
    pin::Pin,
    time::Duration,
};

use actix_throttle_core::{enforcement::Enforcement, identity::IdentityQuery};

use super::{bounds::BOUNDS, usage::IdentityUsage};
use crate::engine::{
    error::RateLimitError,
    handle::Engine,
    store::interface::{ScanBounds, Scanned, Store},
};

/// A look at all limits of an identity, which begins once it is awaited.
/// [`RateLimiter::peek_identity`](crate::RateLimiter::peek_identity) and
/// [`peek_written`](crate::RateLimiter::peek_written) make it.
///
/// On Redis it goes through the keys by `SCAN`, 500 at a time, so that no step holds the server up;
/// in a cluster, from master to master. That is for operators, and too slow for each request:
/// [`peek`](crate::RateLimiter::peek) reads one key if you have the limit at hand. The in-memory
/// store looks up the limits that it has counted since it was built, and scans nothing.
///
/// Quota that is leased to processes counts as used.
///
/// # Errors
///
/// If the store could not do it, whatever the failure mode.
#[derive(Clone, Debug)]
#[must_use = "nothing is read until this is awaited"]
pub struct PeekIdentity {
    engine: Engine,
    who: IdentityQuery,
    bounds: ScanBounds,
}

impl PeekIdentity {
    pub(crate) fn new(engine: Engine, who: IdentityQuery) -> Self {
        Self {
            engine,
            who,
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

    async fn run(self) -> Result<IdentityUsage, RateLimitError> {
        let store = self.engine.store();
        let (entries, scanned) = match self.engine.enforcement() {
            Enforcement::Off => (Vec::new(), Scanned::NOTHING),
            _ => store.read_identity(&self.who, self.bounds).await?,
        };
        let identity = self.who.texts(false).into_iter().next();
        let identity = identity.unwrap_or_default();
        Ok(IdentityUsage::new(identity, entries, scanned))
    }
}

impl IntoFuture for PeekIdentity {
    type Output = Result<IdentityUsage, RateLimitError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}
