//! The delay of an admitted request. Rules with a slow-down call it; it never asks the store.

use actix_throttle_core::{key::Key, time::Micros};

use super::{delays::TooManyDelayed, runtime::needs_runtime};
use crate::engine::handle::Engine;

impl Engine {
    /// Delays an admitted request that was charged to the counter of `key`, by `delay`
    /// microseconds; no longer than limits are enforced. Returns how long it was.
    ///
    /// # Errors
    ///
    /// If as many requests as `max_waiting` allows are delayed for the counter already.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future makes room for another request. The charge stays.
    pub(crate) async fn delay(
        &self,
        key: &Key<'_>,
        delay: Micros,
    ) -> Result<Micros, TooManyDelayed> {
        // There are no timers without a runtime.
        if needs_runtime().is_err() {
            return Ok(0);
        }
        let (clock, most) = (self.clock(), self.settings().max_waiting);
        let now = clock.now();
        let end = now.saturating_add(delay);
        let entry = self.delays().enter(key, now, end, most)?;
        self.while_enforced(clock.sleep_until(end)).await;
        drop(entry);
        Ok(clock.now().saturating_sub(now))
    }
}
