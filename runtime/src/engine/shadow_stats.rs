//! Statistics of shadow limits: how many requests they would have denied. Decisions report to it;
//! it never denies.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering},
};

use actix_throttle_core::decision::Decision;
use parking_lot::RwLock;

use super::log_lines::SHADOW_DENIALS;

/// The number of requests that each shadow limit would have denied, by its name. Names are the
/// application's, so they are few. The counters are relaxed: they guard no other data.
#[derive(Debug, Default)]
pub(crate) struct ShadowStats(RwLock<BTreeMap<&'static str, AtomicU64>>);

impl ShadowStats {
    /// Returns the number of requests that each shadow limit would have denied, by its name.
    pub(crate) fn counts(&self) -> BTreeMap<&'static str, u64> {
        let counts = self.0.read();
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        counts
            .iter()
            .map(|(name, count)| (*name, read(count)))
            .collect()
    }

    /// Counts and logs each shadow limit without room, of a decision that has admitted the request.
    pub(super) fn report(&self, decision: &Decision) {
        let limits = decision.limits().iter();
        for limit in limits.filter(|limit| limit.is_shadow() && limit.is_exceeded()) {
            self.count(limit.name());
            SHADOW_DENIALS.log(format_args!(
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
