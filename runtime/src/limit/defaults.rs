//! What a limit leaves open, said by others.

use super::{Algorithm, Limit};

impl Limit {
    /// The same numbers, counted in this zone and called by this name unless they say themselves.
    pub(crate) fn with_default_name(mut self, zone: &'static str, name: &'static str) -> Self {
        self.zone = self.zone.or(Some(zone));
        self.name = self.name.or(Some(name));
        self
    }

    /// The same numbers in place of `written`, which says whatever this limit leaves open.
    pub(crate) fn fill_from(mut self, written: &Limit) -> Self {
        if self.algorithm.is_none() {
            self.algorithm = written.algorithm;
            self.refill = self.refill.or(written.refill);
        }
        self.cost = self.cost.or(written.cost);
        self.name = self.name.or(written.name);
        self.zone = self.zone.or(written.zone);
        self.block = self.block.or(written.block);
        // A written lease does not make a leaky bucket invalid that is chosen in its place.
        if self.kind() != Algorithm::LeakyBucket {
            self.lease = self.lease.or(written.lease);
        }
        self.shadow |= written.shadow;
        self
    }
}
