//! Who runs: places, and those who hold them.

use super::{
    Full,
    shard::{Shard, expiry},
};
use crate::{
    algorithm::{Availability, PermitTable, Wait},
    clock::Micros,
    decision::Verdict,
    limit::{Concurrency, PermitId},
    store::expiring_table::Fingerprint,
};

impl Shard {
    pub(super) fn look_at_holders(
        &mut self,
        limit: &Concurrency,
        holder: PermitId,
        counter: Fingerprint,
        now: Micros,
    ) -> (Wait, Availability) {
        match self.permits.find_mut(counter, now) {
            Some(slot) => slot.value().look(limit, holder, now),
            None => PermitTable::default().look(limit, holder, now),
        }
    }

    /// Takes a place if there is one, or keeps the one that the holder has.
    pub(super) fn hold(
        &mut self,
        limit: &Concurrency,
        holder: PermitId,
        counter: Fingerprint,
        now: Micros,
    ) -> Result<Verdict, Full> {
        if let Some(slot) = self.permits.find_mut(counter, now) {
            let (wait, quota) = slot.value().take(limit, holder, now);
            slot.set_expiry(expiry(quota.reset, now));
            self.sweep(now);
            return Ok(Verdict::new(wait, quota));
        }
        self.permits.remove(counter);
        self.make_room(now)?;
        let mut holders = Box::<PermitTable>::default();
        let (wait, quota) = holders.take(limit, holder, now);
        let slot = self.permits.find_or_insert(counter, now, || holders, drop);
        slot.set_expiry(expiry(quota.reset, now));
        self.sweep(now);
        Ok(Verdict::new(wait, quota))
    }

    /// Gives a place back, if the holder has one still.
    pub(super) fn release(&mut self, counter: Fingerprint, holder: PermitId, now: Micros) {
        let Some(slot) = self.permits.find_mut(counter, now) else {
            return;
        };
        let holders = slot.value();
        if !holders.release(holder) {
            return;
        }
        match holders.reset(now) {
            0 => drop(self.permits.remove(counter)),
            reset => slot.set_expiry(expiry(reset, now)),
        }
    }
}
