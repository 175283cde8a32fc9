//! Mirroring into the in-memory store. The local fallback calls this to record what another store
//! has decided, so that an outage finds the usage of this process. It never decides a request.

use actix_throttle_core::{
    algorithm::{Receipt, Wait},
    check::{Charge, Check, Outcome},
    decide::{Block, peek, receipt, release, try_charge},
    decision::Verdict,
    failure_mode::FailureMode,
    limit::LimitRef,
    time::Micros,
};

use super::{full::Full, store::MemoryStore};

impl MemoryStore {
    /// Returns how a charge stands, and charges nothing.
    pub(crate) fn peek(&self, charge: &Charge<'_>) -> Verdict {
        self.with_states(charge, |states, now| peek(charge, states, now))
    }

    /// Charges what another store has admitted, if this store has room for it. If there is no room,
    /// the limit is used up here already, as a window here need not begin when it does there.
    /// Returns how the limit stands, and the receipt of the charge if `wanted`.
    pub(crate) fn mirror(&self, charge: &Charge<'_>, wanted: bool) -> (Verdict, Option<Receipt>) {
        self.with_states(charge, |states, now| {
            let verdict = peek(charge, states, now);
            if verdict.wait != Wait::None || charge.cost == 0 {
                // The request was admitted, so only what remains matters.
                let verdict = Verdict {
                    wait: Wait::None,
                    blocked: false,
                    ..verdict
                };
                return (verdict, None);
            }
            let Ok(verdict) = try_charge(charge, states, now) else {
                // The store is full, so this charge stays unknown here.
                return (verdict, None);
            };
            let receipt = wanted.then(|| receipt(charge, states, &verdict, now));
            (verdict, receipt.flatten())
        })
    }

    /// Charges what another store is about to be asked for, if this store admits it. Returns how
    /// the limit stands, and the receipt of the charge.
    ///
    /// # Errors
    ///
    /// How the limit stands if it has no room. A charge for which the store has no room stays
    /// unknown here.
    pub(crate) fn reserve(
        &self,
        charge: &Charge<'_>,
    ) -> Result<(Verdict, Option<Receipt>), Verdict> {
        self.with_states(charge, |states, now| {
            let verdict = peek(charge, states, now);
            if verdict.wait != Wait::None {
                return Err(verdict);
            }
            if charge.cost == 0 {
                return Ok((verdict, None));
            }
            let Ok(verdict) = try_charge(charge, states, now) else {
                return Ok((verdict, None));
            };
            let receipt = receipt(charge, states, &verdict, now);
            Ok((verdict, receipt))
        })
    }

    /// Mirrors a block of the charge's identity that lasts for `left` more microseconds.
    pub(crate) fn mirror_block(&self, charge: &Charge<'_>, left: Micros) -> Result<(), Full> {
        self.put_block(&charge.key.block(), |known, now| {
            Some(match charge.limit.rate() {
                Some(limit) => Block::mirrored(known, limit, left, now),
                None => Block::keep_offences(known, now, left),
            })
        })?;
        Ok(())
    }

    /// Mirrors permits that the other store has renewed, and releases those that were lost there.
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

    /// Releases permits that are being refunded, whatever the other store then says.
    pub(crate) fn mirror_release(&self, check: &Check<'_>) {
        if !check.mode.is_settlement() {
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
        if let LimitRef::Concurrency(limit, permit_id) = charge.limit {
            self.with_states(charge, |states, now| {
                release(limit, permit_id, states, now);
            });
        }
    }
}
