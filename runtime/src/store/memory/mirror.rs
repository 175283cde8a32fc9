//! What the layers above ask of the embedded store beside decisions.

use super::MemoryStore;
use crate::{
    algorithm::{Receipt, Wait},
    decision::Verdict,
    failure_mode::FailureMode,
    limit::LimitRef,
    store::interface::{Charge, Check, Mode, Outcome},
};

impl MemoryStore {
    /// How a charge stands, without taking anything.
    pub(crate) fn peek(&self, charge: &Charge<'_>) -> Verdict {
        let (place, mut shard) = self.lock_one(&charge.key);
        let block = || self.hasher.block_fingerprint(&place, &charge.key);
        shard.peek(charge, place.fingerprint, block, self.clock.now())
    }

    /// Takes what another store has admitted, if there is room for it: without, the limit is used
    /// up here already, as windows here need not begin when they do there. What it took has a
    /// receipt, to those who want one.
    pub(crate) fn mirror(&self, charge: &Charge<'_>, wanted: bool) -> (Verdict, Option<Receipt>) {
        let (place, mut shard) = self.lock_one(&charge.key);
        let block = || self.hasher.block_fingerprint(&place, &charge.key);
        let now = self.clock.now();
        let verdict = shard.peek(charge, place.fingerprint, block, now);
        match verdict.wait {
            Wait::None if charge.cost > 0 => {
                let Ok(verdict) = shard.take(charge, place.fingerprint, now) else {
                    // There is no room for it: then it is not known of here.
                    return (verdict, None);
                };
                let receipt = || shard.receipt(charge, place.fingerprint, &verdict, now);
                (verdict, wanted.then(receipt).flatten())
            }
            _ => {
                // The one who asks was let in: what matters is what is left.
                let verdict = Verdict {
                    wait: Wait::None,
                    blocked: false,
                    ..verdict
                };
                (verdict, None)
            }
        }
    }

    /// The same for places that were renewed there, or lost.
    pub(crate) fn mirror_renewal(&self, check: &Check<'_>, outcome: &Outcome) {
        for (charge, verdict) in check.charges.iter().zip(&outcome.verdicts) {
            match verdict.wait {
                Wait::None if charge.failure_mode == FailureMode::Local => {
                    self.mirror(charge, false);
                }
                _ => self.release(charge),
            }
        }
    }

    /// And for places that are given back, whatever the other store says to that.
    pub(crate) fn mirror_release(&self, check: &Check<'_>) {
        if !matches!(check.mode, Mode::Refund(_)) {
            return;
        }
        for charge in check
            .charges
            .iter()
            .filter(|one| one.limit.rate().is_none())
        {
            if charge.failure_mode == FailureMode::Local {
                self.release(charge);
            }
        }
    }

    fn release(&self, charge: &Charge<'_>) {
        if let LimitRef::Concurrency(_, permit_id) = charge.limit {
            let (place, mut shard) = self.lock_one(&charge.key);
            shard.release(place.fingerprint, permit_id, self.clock.now());
        }
    }
}
