//! Statistics of shadow limits: how many requests they would have denied. Decisions report to it;
//! it never denies.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering},
};

use actix_throttle_core::decision::Decision;
use log::Level;
use parking_lot::RwLock;

use super::RateLimiter;
use crate::engine::log_throttle::LogThrottle;

static DENIALS: LogThrottle = LogThrottle::new(Level::Info);

/// Number of requests that each shadow limit would have denied, by its name. Names are the
/// application's, so they are few. The counters are relaxed: they guard no other data.
#[derive(Debug, Default)]
pub(super) struct ShadowStats(RwLock<BTreeMap<&'static str, AtomicU64>>);

impl RateLimiter {
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
        let counts = self.inner.shadows.0.read();
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        counts
            .iter()
            .map(|(name, count)| (*name, read(count)))
            .collect()
    }
}

impl ShadowStats {
    /// Counts and logs each shadow limit without room, of a decision that has admitted the request.
    pub(super) fn report(&self, decision: &Decision) {
        let limits = decision.limits().iter();
        for limit in limits.filter(|limit| limit.is_shadow() && limit.is_violated()) {
            self.count(limit.name());
            DENIALS.log(format_args!(
                "the shadow limit \"{}\" would have denied a request",
                limit.name()
            ));
        }
    }

    fn count(&self, name: &'static str) {
        if let Some(count) = self.0.read().get(name) {
            count.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let mut counts = self.0.write();
        let count = counts.entry(name).or_default();
        count.fetch_add(1, Ordering::Relaxed);
    }
}
