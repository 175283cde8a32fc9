//! Defaults for what a limit leaves unset. The limiter, the macro's output and the configuration
//! apply them; they never overwrite what the limit sets.

use super::{Algorithm, Limit};

impl Limit {
    /// Fills in the zone and name, unless the limit has its own.
    #[doc(hidden)]
    pub fn with_default_name(mut self, zone: &'static str, name: &'static str) -> Self {
        self.zone = self.zone.or(Some(zone));
        self.name = self.name.or(Some(name));
        self
    }

    /// Fills in everything that this limit leaves unset from `written`, the limit that it replaces.
    #[doc(hidden)]
    pub fn fill_from(mut self, written: &Limit) -> Self {
        if self.period.is_some() {
            self.time_zone = self.time_zone.or(written.time_zone);
        } else if self.algorithm.is_none() {
            self.algorithm = written.algorithm;
            self.refill = self.refill.or(written.refill);
        }
        self.cost = self.cost.or(written.cost);
        self.name = self.name.or(written.name);
        self.zone = self.zone.or(written.zone);
        self.block = self.block.or(written.block);
        // A lease of `written` must not make this limit invalid: a leaky bucket cannot be leased.
        if self.algorithm_value() != Algorithm::LeakyBucket {
            self.lease = self.lease.or(written.lease);
        }
        self.shadow |= written.shadow;
        self
    }
}
