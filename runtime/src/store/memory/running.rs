//! Who runs: places, and those who hold them.

use super::shard::{Content, Shard, expiry};
use crate::{
    algorithm::{Holders, Quota, Wait},
    clock::Micros,
    decision::Verdict,
    limit::{Concurrency, Holder},
    store::table::Print,
};

impl Shard {
    pub(super) fn look_at_holders(
        &mut self,
        limit: &Concurrency,
        holder: Holder,
        counter: Print,
        now: Micros,
    ) -> (Wait, Quota) {
        match self.holders(counter, now) {
            Some(holders) => holders.look(limit, holder, now),
            None => Holders::default().look(limit, holder, now),
        }
    }

    /// Takes a place if there is one, or keeps the one that the holder has.
    pub(super) fn hold(
        &mut self,
        limit: &Concurrency,
        holder: Holder,
        counter: Print,
        now: Micros,
    ) -> Verdict {
        if let Some(slot) = self.table.find_mut(counter, now)
            && let Content::Holders(holders) = slot.value()
        {
            let (wait, quota) = holders.take(limit, holder, now);
            slot.set_expiry(expiry(quota.reset, now));
            self.sweep(now);
            return Verdict::new(wait, quota);
        }
        let mut holders = Box::<Holders>::default();
        let (wait, quota) = holders.take(limit, holder, now);
        let content = Content::Holders(holders);
        self.start(counter, content, expiry(quota.reset, now), now);
        Verdict::new(wait, quota)
    }

    /// Gives a place back, if the holder has one still.
    pub(super) fn release(&mut self, counter: Print, holder: Holder, now: Micros) {
        let Some(holders) = self.holders(counter, now) else {
            return;
        };
        if !holders.release(holder) {
            return;
        }
        match holders.reset(now) {
            0 => drop(self.table.remove(counter)),
            reset => {
                if let Some(slot) = self.table.find_mut(counter, now) {
                    slot.set_expiry(expiry(reset, now));
                }
            }
        }
    }

    fn holders(&mut self, counter: Print, now: Micros) -> Option<&mut Holders> {
        match self.table.find_mut(counter, now)?.value() {
            Content::Holders(holders) => Some(holders),
            _ => None,
        }
    }
}
