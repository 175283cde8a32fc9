//! The in-memory store: counters in this process, run through the functions of
//! [`algorithm`](crate::algorithm). A limiter uses it as its only store, or as the local fallback
//! of Redis.
//!
//! Keys are spread over shards by their identity. The limits of one request thus usually share one
//! lock, and different identities rarely do. A check that spans shards locks them in ascending
//! order, which rules out deadlocks. Nothing is awaited while a lock is held.
//!
//! The number of keys is bounded. A new key evicts the counter of least worth in a sample. A store
//! full of permits and blocks has nothing to evict; it does not decide, and the failure mode does.

mod full;
#[cfg(feature = "redis")]
mod mirror;
mod permits;
mod room;
mod shard;

use actix_throttle_core::{
    algorithm::Wait,
    check::{Charge, Check, Mode, Outcome, Outcomes, Receipts},
    decision::Verdict,
    key::Key,
    time::Micros,
};
use parking_lot::{Mutex, MutexGuard};
use smallvec::SmallVec;

pub(crate) use self::full::Full;
use self::shard::Shard;
use super::{
    interface::{Store, StoreError},
    key_hash::{KeyHash, KeyHasher},
};
use crate::engine::clock::Clock;

/// The smallest shard, in keys: the bound on keys would be coarse with smaller ones.
const MIN_SHARD: usize = 1024;
/// The largest number of shards: enough that two workers of a machine rarely meet.
const MAX_SHARDS: usize = 64;

#[derive(Debug)]
pub(crate) struct MemoryStore {
    shards: Box<[Mutex<Shard>]>,
    clock: Clock,
    hasher: KeyHasher,
}

impl MemoryStore {
    /// Creates a store of at most `max_keys` keys (at least 1).
    pub(crate) fn new(max_keys: usize, clock: Clock) -> Self {
        let count = (max_keys / MIN_SHARD).clamp(1, MAX_SHARDS);
        // Rounds down to a power of two, because a mask selects the shard.
        let count = 1 << count.ilog2();
        let shards = (0..count)
            .map(|_| Mutex::new(Shard::new((max_keys / count).max(1))))
            .collect();
        Self {
            shards,
            clock,
            hasher: KeyHasher::new(),
        }
    }

    pub(crate) fn decide_one(&self, check: &Check<'_>) -> Result<Outcome, Full> {
        match (check.mode, check.charges.as_slice()) {
            (Mode::Charge, [charge]) => self.decide_single(charge),
            _ => self.decide_several(check),
        }
    }

    /// Decides a charge of one limit in a single step. Most checks are of this form.
    fn decide_single(&self, charge: &Charge<'_>) -> Result<Outcome, Full> {
        let (place, mut shard) = self.lock_one(&charge.key);
        // Reads the time under the lock. Otherwise a worker could charge with a time before another
        // worker's charge, which to the algorithms is a clock that has stepped back.
        let now = self.clock.now();
        let block = || self.hasher.block_fingerprint(&place, &charge.key);
        let (allowed, verdict) = shard.decide(charge, place.fingerprint, block, now)?;
        Ok(Outcome {
            allowed,
            verdicts: SmallVec::from_buf([verdict]),
            receipts: Receipts::new(),
            mirror_receipts: Receipts::new(),
            stable_for: 0,
        })
    }

    /// Decides any check: peeks at all of its limits, then charges all of them or none.
    fn decide_several(&self, check: &Check<'_>) -> Result<Outcome, Full> {
        let places: SmallVec<[KeyHash; 2]> = check
            .charges
            .iter()
            .map(|charge| self.hasher.hash(&charge.key))
            .collect();
        let shard_of = |place: &KeyHash| place.shard(self.shards.len());
        let mut locked = self.lock(places.iter().map(shard_of));
        let now = self.clock.now();

        if let Mode::Refund(receipts) = check.mode {
            for ((charge, place), receipt) in check.charges.iter().zip(&places).zip(receipts) {
                if let Some(receipt) = receipt {
                    let shard = locked.shard(shard_of(place));
                    shard.refund(charge, receipt, place.fingerprint, now);
                }
            }
        }
        let mut verdicts: SmallVec<[Verdict; 1]> = SmallVec::new();
        for (charge, place) in check.charges.iter().zip(&places) {
            let shard = locked.shard(shard_of(place));
            let block = || self.hasher.block_fingerprint(place, &charge.key);
            verdicts.push(match check.mode {
                Mode::Renew => shard.peek_counter(charge, place.fingerprint, now),
                _ => shard.peek(charge, place.fingerprint, block, now),
            });
        }
        let allowed = !check.mode.can_deny()
            || check
                .charges
                .iter()
                .zip(&verdicts)
                .all(|(charge, verdict)| charge.limit.is_shadow() || verdict.wait == Wait::None);

        if allowed && check.mode.is_charge() {
            locked.reserve(check, &places, shard_of, now)?;
        }
        let mut receipts = Receipts::new();
        if matches!(check.mode, Mode::ChargeForReceipts | Mode::Lease) {
            receipts.resize(check.charges.len(), None);
        }
        let mut next_receipt = receipts.iter_mut();
        for ((charge, place), verdict) in check.charges.iter().zip(&places).zip(&mut verdicts) {
            let receipt = next_receipt.next();
            let shard = locked.shard(shard_of(place));
            let cost = match check.mode {
                Mode::Lease => {
                    verdict.wait = Wait::None;
                    charge.may_lease(verdict)
                }
                Mode::Charge | Mode::ChargeForReceipts | Mode::Renew if allowed => {
                    match verdict.wait {
                        Wait::None => charge.cost,
                        Wait::For(_) | Wait::Never => 0,
                    }
                }
                _ => 0,
            };
            if cost > 0 {
                let charge = &Charge { cost, ..*charge };
                match shard.take(charge, place.fingerprint, now) {
                    Ok(taken) => {
                        *verdict = taken;
                        if let Some(receipt) = receipt {
                            *receipt = shard.receipt(charge, place.fingerprint, verdict, now);
                        }
                    }
                    // The permit had expired, and there is no room to acquire it again.
                    Err(Full) if check.mode == Mode::Renew => verdict.wait = Wait::For(1),
                    // A shadow limit denies nothing, and a lease without room takes nothing.
                    Err(Full) => {}
                }
            } else if check.mode.is_charge() && charge.starts_block(verdict, allowed) {
                let length = charge.limit.block_micros();
                let block = self.hasher.block_fingerprint(place, &charge.key);
                if shard.block(block, length, now).is_ok() {
                    verdict.block_for(length);
                }
            }
        }
        Ok(Outcome {
            allowed,
            verdicts,
            receipts,
            mirror_receipts: Receipts::new(),
            stable_for: 0,
        })
    }

    /// Returns whether the store has room to count this charge.
    pub(crate) fn has_room(&self, charge: &Charge<'_>) -> bool {
        let (place, mut shard) = self.lock_one(&charge.key);
        let now = self.clock.now();
        shard.knows(charge, place.fingerprint, now) || shard.has_room(1, 0, now)
    }

    /// Starts the block whose key this is, for `length` microseconds.
    pub(crate) fn start_block(&self, key: &Key<'_>, length: Micros) -> Result<(), Full> {
        let (place, mut shard) = self.lock_one(key);
        shard.block(place.fingerprint, length, self.clock.now())
    }

    /// Returns the hash of a key, and its locked shard.
    fn lock_one(&self, key: &Key<'_>) -> (KeyHash, MutexGuard<'_, Shard>) {
        let place = self.hasher.hash(key);
        (place, self.shards[place.shard(self.shards.len())].lock())
    }

    fn lock(&self, shards: impl Iterator<Item = usize>) -> Locked<'_> {
        let mut wanted: SmallVec<[usize; 2]> = shards.collect();
        if wanted.len() > 1 {
            wanted.sort_unstable();
            wanted.dedup();
        }
        Locked(
            wanted
                .into_iter()
                .map(|index| (index, self.shards[index].lock()))
                .collect(),
        )
    }
}

/// The shards of one check, locked in ascending order.
struct Locked<'a>(SmallVec<[(usize, MutexGuard<'a, Shard>); 2]>);

impl Locked<'_> {
    /// Checks that each shard has room for the keys that a check would add to it, because the check
    /// is charged as a whole or not at all.
    fn reserve(
        &mut self,
        check: &Check<'_>,
        places: &[KeyHash],
        shard_of: impl Fn(&KeyHash) -> usize,
        now: Micros,
    ) -> Result<(), Full> {
        for (index, shard) in &mut self.0 {
            if !shard.is_nearly_full(check.charges.len()) {
                continue;
            }
            let (mut new, mut counters) = (0, 0);
            for (charge, place) in check.charges.iter().zip(places) {
                if shard_of(place) != *index || charge.cost == 0 || charge.limit.is_shadow() {
                    continue;
                }
                match shard.knows(charge, place.fingerprint, now) {
                    false => new += 1,
                    true => counters += usize::from(charge.limit.rate().is_some()),
                }
            }
            if new > 0 && !shard.has_room(new, counters, now) {
                return Err(Full);
            }
        }
        Ok(())
    }

    /// Returns the shard of this index, which must be among the locked ones.
    fn shard(&mut self, wanted: usize) -> &mut Shard {
        let at = self
            .0
            .iter()
            .position(|(index, _)| *index == wanted)
            .unwrap_or(0);
        &mut self.0[at].1
    }
}

impl Store for MemoryStore {
    async fn decide(&self, checks: &[Check<'_>]) -> Result<Outcomes, StoreError> {
        let outcomes = checks.iter().map(|check| self.decide_one(check));
        Ok(outcomes.collect::<Result<_, Full>>()?)
    }

    fn try_decide(&self, check: &Check<'_>) -> Option<Outcome> {
        self.decide_one(check).ok()
    }

    async fn delete(&self, keys: &[Key<'_>]) -> Result<(), StoreError> {
        for key in keys {
            let (place, mut shard) = self.lock_one(key);
            shard.delete(place.fingerprint);
        }
        Ok(())
    }

    async fn block(&self, key: &Key<'_>, length: Micros) -> Result<(), StoreError> {
        Ok(self.start_block(key, length)?)
    }

    fn close(&self) {}
}

#[cfg(test)]
mod tests;
