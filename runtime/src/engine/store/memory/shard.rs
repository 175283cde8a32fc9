//! One shard of the in-memory store, with its counters, permits and blocks.
//! [`MemoryStore`](super::MemoryStore) calls it under the shard's lock and passes the time in.

use actix_throttle_core::{
    algorithm::{Availability, IDLE, PermitTable, Receipt, State, Wait},
    check::Charge,
    decision::Verdict,
    limit::{Algorithm, Limit, LimitRef, PermitId},
    time::Micros,
};

use super::Full;
use crate::engine::store::expiring_table::{ExpiringTable, Fingerprint, Worth};

/// A part of the keys, behind one lock.
///
/// Three tables share the capacity. When it is used up, the counter of least worth is evicted.
/// Permits and blocks stay until they expire: forgetting one would admit what must be denied, and a
/// client could force that with a flood of invented keys.
#[derive(Debug)]
pub(super) struct Shard {
    pub(super) counters: ExpiringTable<State>,
    /// Boxed, because a table entry is to stay within a few words.
    pub(super) permits: ExpiringTable<Box<PermitTable>>,
    pub(super) blocks: ExpiringTable<Block>,
    pub(super) capacity: usize,
    /// Charges since the last sweep.
    pub(super) unswept: u8,
}

/// A block of an identity in a zone, from `start` to `until`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Block {
    start: Micros,
    until: Micros,
}

impl Shard {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            counters: ExpiringTable::new(capacity),
            permits: ExpiringTable::new(capacity),
            blocks: ExpiringTable::new(capacity),
            capacity,
            unswept: 0,
        }
    }

    /// Charges if there is room, and returns whether the request is admitted. Calls `block` only if
    /// the shard has blocks.
    pub(super) fn decide(
        &mut self,
        charge: &Charge<'_>,
        counter: Fingerprint,
        block: impl Fn() -> Fingerprint,
        now: Micros,
    ) -> Result<(bool, Verdict), Full> {
        let mut verdict = match self.blocked_for(&block, now) {
            None => self.take(charge, counter, now)?,
            Some(_) => self.peek(charge, counter, &block, now),
        };
        let allowed = verdict.wait == Wait::None || charge.limit.is_shadow();
        if charge.starts_block(&verdict, allowed) {
            let length = charge.limit.block_micros();
            if self.block(block(), length, now).is_ok() {
                verdict.block_for(length);
            }
        }
        Ok((allowed, verdict))
    }

    /// Returns how a charge stands, and charges nothing. Calls `block` only if the shard has
    /// blocks.
    pub(super) fn peek(
        &mut self,
        charge: &Charge<'_>,
        counter: Fingerprint,
        block: impl FnOnce() -> Fingerprint,
        now: Micros,
    ) -> Verdict {
        let mut verdict = self.peek_counter(charge, counter, now);
        if let Some(length) = self.blocked_for(block, now) {
            verdict.block_for(length);
        }
        verdict
    }

    /// Returns how a charge stands without regard to blocks, and charges nothing.
    pub(super) fn peek_counter(
        &mut self,
        charge: &Charge<'_>,
        counter: Fingerprint,
        now: Micros,
    ) -> Verdict {
        let cost = charge.cost;
        let (wait, quota) = match charge.limit {
            LimitRef::Concurrency(limit, permit_id) => {
                self.peek_permits(limit, permit_id, counter, now)
            }
            LimitRef::Rate(limit) => match self.counters.find(counter, now) {
                Some(state) => state.peek(limit, cost, now),
                None => State::empty(limit).peek(limit, cost, now),
            },
        };
        Verdict::new(wait, quota)
    }

    /// Returns the time that is left of a block, if there is one.
    fn blocked_for(&self, block: impl FnOnce() -> Fingerprint, now: Micros) -> Option<Micros> {
        if self.blocks.is_empty() {
            return None;
        }
        let block = self.blocks.find(block(), now)?;
        // A block that starts in the future (the clock has stepped back) does not count.
        (block.start <= now && now < block.until).then(|| block.until - now)
    }

    /// Charges if the cost fits, without regard to blocks.
    pub(super) fn take(
        &mut self,
        charge: &Charge<'_>,
        counter: Fingerprint,
        now: Micros,
    ) -> Result<Verdict, Full> {
        let cost = charge.cost;
        let limit = match charge.limit {
            LimitRef::Rate(limit) => limit,
            LimitRef::Concurrency(limit, permit_id) => {
                return self.acquire_permit(limit, permit_id, counter, now);
            }
        };
        let is_taken = |wait| wait == Wait::None && cost > 0;
        if let Some(slot) = self.counters.find_mut(counter, now) {
            let (wait, quota) = slot.value().try_charge(limit, cost, now);
            if is_taken(wait) {
                slot.set_expiry_and_worth(expiry(quota.reset, now), worth(limit, &quota));
                self.sweep(now);
            }
            return Ok(Verdict::new(wait, quota));
        }
        let mut state = State::empty(limit);
        let (wait, quota) = state.try_charge(limit, cost, now);
        if is_taken(wait) {
            self.start(counter, state, limit, &quota, now)?;
        }
        Ok(Verdict::new(wait, quota))
    }

    /// Stores the state of an absent or expired key. Not inlined, to keep it out of the hot path of
    /// existing keys.
    #[inline(never)]
    fn start(
        &mut self,
        counter: Fingerprint,
        state: State,
        limit: &Limit,
        quota: &Availability,
        now: Micros,
    ) -> Result<(), Full> {
        self.evict(now)?;
        let slot = self.counters.find_or_insert(counter, now, || state, drop);
        slot.set_expiry_and_worth(expiry(quota.reset, now), worth(limit, quota));
        self.sweep(now);
        Ok(())
    }

    /// Returns the receipt of a charge that was just made, at the same `now`.
    pub(super) fn receipt(
        &self,
        charge: &Charge<'_>,
        counter: Fingerprint,
        verdict: &Verdict,
        now: Micros,
    ) -> Option<Receipt> {
        let mark = match charge.limit {
            LimitRef::Rate(limit) => self.counters.find(counter, now)?.receipt_tag(limit, now),
            LimitRef::Concurrency(_, permit_id) => {
                self.permits.find(counter, now)?;
                permit_id.0
            }
        };
        Some(Receipt {
            at: now,
            taken: charge.cost,
            remaining: verdict.remaining,
            tag: mark,
        })
    }

    /// Refunds what is left of a charge. An absent or expired entry stays absent.
    pub(super) fn refund(
        &mut self,
        charge: &Charge<'_>,
        receipt: &Receipt,
        counter: Fingerprint,
        now: Micros,
    ) {
        let limit = match charge.limit {
            LimitRef::Rate(limit) => limit,
            LimitRef::Concurrency(..) => return self.release(counter, PermitId(receipt.tag), now),
        };
        let Some(slot) = self.counters.find_mut(counter, now) else {
            return;
        };
        let state = slot.value();
        if !state.refund(limit, receipt.taken, receipt, now) {
            return;
        }
        let (_, quota) = state.peek(limit, 0, now);
        match quota.reset {
            0 => drop(self.counters.remove(counter)),
            reset => slot.set_expiry_and_worth(expiry(reset, now), worth(limit, &quota)),
        }
    }

    pub(super) fn block(
        &mut self,
        print: Fingerprint,
        length: Micros,
        now: Micros,
    ) -> Result<(), Full> {
        let until = now.saturating_add(length);
        let block = Block { start: now, until };
        if self.blocks.find(print, now).is_none() {
            self.blocks.remove(print);
            self.evict(now)?;
        }
        let slot = self.blocks.find_or_insert(print, now, || block, drop);
        *slot.value() = block;
        slot.set_expiry(until);
        self.sweep(now);
        Ok(())
    }

    pub(super) fn delete(&mut self, print: Fingerprint) {
        self.counters.remove(print);
        self.permits.remove(print);
        self.blocks.remove(print);
    }
}

/// Returns the worth of a counter at an eviction. A used-up counter is worth the most, because it
/// is what denies its identity. Otherwise the worth is the number of times that the remaining quota
/// has halved, at most 6, which needs no division.
fn worth(limit: &Limit, quota: &Availability) -> Worth {
    let most = match limit.kind() {
        Algorithm::LeakyBucket => 1,
        _ => limit.quota(),
    };
    match quota.remaining {
        0 => Worth::MOST,
        left => Worth::of(
            left.leading_zeros()
                .saturating_sub(most.leading_zeros())
                .min(6),
        ),
    }
}

/// Returns when an entry expires: after its reset plus [`IDLE`], up to which a charge in its turn
/// looks back, plus the microsecond within which the leaky bucket carries over what has drained.
pub(super) fn expiry(reset: Micros, now: Micros) -> Micros {
    now.saturating_add(reset).saturating_add(IDLE + 1)
}
