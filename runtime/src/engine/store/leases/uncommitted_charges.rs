//! The leased charges of a check that the store has yet to decide.

use std::sync::Arc;

use actix_throttle_core::{
    check::{Charge, Mode, Receipts},
    decision::Verdict,
};
use smallvec::SmallVec;

use super::{account::LeasedCharge, pool::LeasePool, table::AccountKey};
use crate::engine::store::interface::Store;

/// The leased charges of a request that the store has not decided yet. Dropping this puts them
/// back.
pub(super) struct UncommittedCharges<'a, S: Store + 'static> {
    pool: &'a Arc<LeasePool<S>>,
    served: SmallVec<[(AccountKey, LeasedCharge); 1]>,
}

impl<'a, S: Store + 'static> UncommittedCharges<'a, S> {
    pub(super) fn new(pool: &'a Arc<LeasePool<S>>) -> Self {
        Self {
            pool,
            served: SmallVec::new(),
        }
    }

    pub(super) fn take(&mut self, charge: &Charge<'_>) -> Option<Verdict> {
        let (at, served) = self.pool.take(charge)?;
        self.served.push((at, served));
        Some(served.verdict)
    }

    /// Keeps the leased charges, and returns their receipts if `mode` asks for them.
    pub(super) fn commit(&mut self, mode: Mode<'_>) -> Receipts {
        let served = std::mem::take(&mut self.served);
        match mode {
            Mode::ChargeForReceipts => {
                let receipts = served.into_iter();
                receipts.map(|(_, served)| Some(served.receipt)).collect()
            }
            _ => Receipts::new(),
        }
    }
}

impl<S: Store + 'static> Drop for UncommittedCharges<'_, S> {
    fn drop(&mut self) {
        for (at, served) in self.served.drain(..) {
            self.pool.put_back(at, &served);
        }
    }
}
