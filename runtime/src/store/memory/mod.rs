//! The embedded store: counters in this process, by the pure step functions.
//!
//! Keys are spread over shards by their identity, so the limits of one request are usually behind
//! one lock, and different identities rarely behind the same. A check that spans shards locks them
//! in ascending order. Nothing is awaited while a lock is held.

#[cfg(feature = "redis")]
mod note;
mod shard;

use std::hash::Hash;

use parking_lot::{Mutex, MutexGuard};
use siphasher::sip128::{Hasher128, SipHasher13};
use smallvec::SmallVec;

use self::shard::Shard;
use super::{
    interface::{Check, Mode, Outcome, Outcomes, Receipts, Store, StoreError},
    table::Print,
};
use crate::{
    algorithm::{Receipt, Wait},
    clock::{Clock, Micros},
    decision::Verdict,
    key::Key,
};

/// Fewer keys than this in a shard make its bound coarse.
const MIN_SHARD: usize = 1024;
/// Enough that two of a machine's workers seldom meet.
const MAX_SHARDS: usize = 64;

#[derive(Debug)]
pub(crate) struct MemoryStore {
    shards: Box<[Mutex<Shard>]>,
    clock: Clock,
    /// Keyed by this process' own secret, so nobody can choose identities that meet in one place.
    hasher: SipHasher13,
}

impl MemoryStore {
    /// A store of at most `max_keys` keys (at least 1).
    pub(crate) fn new(max_keys: usize, clock: Clock) -> Self {
        let count = (max_keys / MIN_SHARD).clamp(1, MAX_SHARDS);
        // The previous power of two: shards are chosen by a mask.
        let count = 1 << count.ilog2();
        let shards = (0..count)
            .map(|_| Mutex::new(Shard::new((max_keys / count).max(1))))
            .collect();
        let secret = || {
            use std::hash::BuildHasher;
            std::hash::RandomState::new().hash_one(0)
        };
        Self {
            shards,
            clock,
            hasher: SipHasher13::new_with_keys(secret(), secret()),
        }
    }

    /// The print of a key, and the shard of its identity.
    fn place(&self, key: &Key<'_>) -> (Print, usize) {
        let mut hasher = self.hasher;
        key.identity.source().hash(&mut hasher);
        key.identity.value().hash(&mut hasher);
        let identity = hasher.finish128();
        key.zone.hash(&mut hasher);
        key.slot.hash(&mut hasher);
        let print = hasher.finish128();
        let shard = identity.h1 & (self.shards.len() as u64 - 1);
        let shard = usize::try_from(shard).unwrap_or(0);
        (Print::new(print.h1, print.h2), shard)
    }

    pub(crate) fn decide_one(&self, check: &Check<'_>) -> Outcome {
        let places: SmallVec<[Place; 1]> = check
            .charges
            .iter()
            .map(|charge| {
                let (counter, shard) = self.place(&charge.key);
                Place { counter, shard }
            })
            .collect();
        let mut locked = self.lock(places.iter().map(|place| place.shard));
        // Read under the lock: else one worker could charge a moment before what another has
        // charged already, and to the algorithms that is a clock that has stepped back.
        let now = self.clock.now();

        if let Mode::Refund(receipts) = check.mode {
            for ((charge, place), receipt) in check.charges.iter().zip(&places).zip(receipts) {
                if let Some(receipt) = receipt {
                    let shard = locked.shard(place.shard);
                    shard.refund(charge, receipt, place.counter, now);
                }
            }
        }
        let mut verdicts: SmallVec<[Verdict; 1]> = SmallVec::new();
        for (charge, place) in check.charges.iter().zip(&places) {
            let shard = locked.shard(place.shard);
            let block = || self.place(&charge.key.block()).0;
            verdicts.push(shard.look(charge, place.counter, block, now));
        }
        let allowed = matches!(check.mode, Mode::Refund(_))
            || check
                .charges
                .iter()
                .zip(&verdicts)
                .all(|(charge, verdict)| charge.limit.is_shadow() || verdict.wait == Wait::Fits);

        let mut receipts = Receipts::new();
        if check.mode == Mode::ChargeForReceipts {
            receipts.resize(check.charges.len(), None);
        }
        if check.mode.is_charge() {
            let mut receipts = receipts.iter_mut();
            for ((charge, place), verdict) in check.charges.iter().zip(&places).zip(&mut verdicts) {
                let receipt = receipts.next();
                let shard = locked.shard(place.shard);
                if allowed && verdict.wait == Wait::Fits {
                    if charge.cost > 0 {
                        *verdict = shard.charge(charge, place.counter, now);
                        if let Some(receipt) = receipt {
                            *receipt = shard.mark(place.counter, now).map(|mark| Receipt {
                                at: now,
                                remaining: verdict.remaining,
                                mark,
                            });
                        }
                    }
                } else if charge.starts_block(verdict, allowed) {
                    let length = charge.limit.block_micros();
                    shard.block(self.place(&charge.key.block()).0, length, now);
                    verdict.block_for(length);
                }
            }
        }
        Outcome {
            allowed,
            verdicts,
            receipts,
        }
    }

    /// Blocks for `length` what this key of a block stands for.
    pub(crate) fn start_block(&self, key: &Key<'_>, length: Micros) {
        let (print, shard) = self.place(key);
        let mut shard = self.shards[shard].lock();
        shard.block(print, length, self.clock.now());
    }

    fn lock(&self, shards: impl Iterator<Item = usize>) -> Locked<'_> {
        let mut wanted: SmallVec<[usize; 1]> = shards.collect();
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

struct Place {
    counter: Print,
    shard: usize,
}

/// The shards of one check, locked in ascending order.
struct Locked<'a>(SmallVec<[(usize, MutexGuard<'a, Shard>); 1]>);

impl Locked<'_> {
    /// One of the shards that were locked.
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
        Ok(checks.iter().map(|check| self.decide_one(check)).collect())
    }

    async fn forget(&self, keys: &[Key<'_>]) -> Result<(), StoreError> {
        for key in keys {
            let (print, shard) = self.place(key);
            self.shards[shard].lock().forget(print);
        }
        Ok(())
    }

    async fn block(&self, key: &Key<'_>, length: Micros) -> Result<(), StoreError> {
        self.start_block(key, length);
        Ok(())
    }

    fn close(&self) {}
}

#[cfg(test)]
mod tests;
