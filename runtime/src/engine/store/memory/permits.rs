//! Concurrency limits of a shard: permits and their holders. The shard calls this under its lock.

use actix_throttle_core::{
    algorithm::{Availability, PermitTable, Wait},
    decision::Verdict,
    limit::{Concurrency, PermitId},
    time::Micros,
};

use super::{
    Full,
    shard::{Shard, expiry},
};
use crate::engine::store::expiring_table::Fingerprint;

impl Shard {
    pub(super) fn peek_permits(
        &mut self,
        limit: &Concurrency,
        permit_id: PermitId,
        counter: Fingerprint,
        now: Micros,
    ) -> (Wait, Availability) {
        match self.permits.find_mut(counter, now) {
            Some(slot) => slot.value().peek(limit, permit_id, now),
            None => PermitTable::default().peek(limit, permit_id, now),
        }
    }

    /// Acquires a permit if there is one, or renews the permit that `permit_id` has.
    pub(super) fn acquire_permit(
        &mut self,
        limit: &Concurrency,
        permit_id: PermitId,
        counter: Fingerprint,
        now: Micros,
    ) -> Result<Verdict, Full> {
        if let Some(slot) = self.permits.find_mut(counter, now) {
            let (wait, quota) = slot.value().try_acquire(limit, permit_id, now);
            slot.set_expiry(expiry(quota.reset, now));
            self.sweep(now);
            return Ok(Verdict::new(wait, quota));
        }
        self.permits.remove(counter);
        self.evict(now)?;
        let mut permits = Box::<PermitTable>::default();
        let (wait, quota) = permits.try_acquire(limit, permit_id, now);
        let slot = self.permits.find_or_insert(counter, now, || permits, drop);
        slot.set_expiry(expiry(quota.reset, now));
        self.sweep(now);
        Ok(Verdict::new(wait, quota))
    }

    /// Releases a permit, if it is still held.
    pub(super) fn release(&mut self, counter: Fingerprint, permit_id: PermitId, now: Micros) {
        let Some(slot) = self.permits.find_mut(counter, now) else {
            return;
        };
        let permits = slot.value();
        if !permits.release(permit_id) {
            return;
        }
        match permits.reset(now) {
            0 => drop(self.permits.remove(counter)),
            reset => slot.set_expiry(expiry(reset, now)),
        }
    }
}
