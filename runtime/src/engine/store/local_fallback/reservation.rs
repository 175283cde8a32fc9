//! [`Reservation`]: what a check takes of the local fallback before the store inside is asked.

use actix_throttle_core::{
    algorithm::Receipt,
    check::{Charge, Charges, Check, Mode},
    decision::Verdict,
};
use smallvec::SmallVec;

use crate::engine::store::memory::MemoryStore;

/// A charge that was mirrored before its decision: how its limit stands, and its receipt.
pub(super) type Mirrored = (Verdict, Option<Receipt>);

/// The charges of one check that the local fallback has made before the store inside is asked.
/// Checks that come at once therefore do not admit the same quota, though the store inside would.
///
/// Dropping this refunds what was not [taken](Self::take), because the store inside has denied the
/// check, or because the future of the decision was dropped.
pub(super) struct Reservation<'a, 'c> {
    local: &'a MemoryStore,
    charges: &'a [Charge<'c>],
    /// The reserved charges, by the index of each in the check.
    mirrored: SmallVec<[Option<Mirrored>; 1]>,
}

impl<'a, 'c> Reservation<'a, 'c> {
    /// A reservation of nothing yet.
    pub(super) fn new(local: &'a MemoryStore, check: &'a Check<'c>) -> Self {
        Self {
            local,
            charges: &check.charges,
            mirrored: SmallVec::from_elem(None, check.charges.len()),
        }
    }

    /// Reserves a charge if there is room for it.
    ///
    /// # Errors
    ///
    /// How the limit stands if there is no room.
    pub(super) fn add(&mut self, index: usize) -> Result<(), Verdict> {
        let (Some(charge), Some(mirrored)) =
            (self.charges.get(index), self.mirrored.get_mut(index))
        else {
            return Ok(());
        };
        *mirrored = Some(self.local.reserve(charge)?);
        Ok(())
    }

    /// Takes a reserved charge, because the store inside has admitted it too.
    pub(super) fn take(&mut self, index: usize) -> Option<Mirrored> {
        self.mirrored.get_mut(index)?.take()
    }
}

impl Drop for Reservation<'_, '_> {
    fn drop(&mut self) {
        for (charge, mirrored) in self.charges.iter().zip(&self.mirrored) {
            let Some((_, receipt @ Some(_))) = mirrored else {
                continue;
            };
            let refund = Check {
                mode: Mode::Refund(&[*receipt]),
                charges: Charges::from_buf([*charge]),
            };
            // A refund needs no room.
            let _ = self.local.decide_one(&refund);
        }
    }
}
