//! Receipts of charges. A store issues one with each charge, and a refund or a settlement hands it
//! back.

use crate::{limit::PermitId, time::Micros};

/// The record of one charge, by which it can be refunded and settled. Only a charge that took
/// something has one; together with its key and limit, it says everything that a refund needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The store's time of the charge, in microseconds.
    pub at: Micros,
    /// The cost that was taken.
    pub taken: u32,
    /// The quota that remained after the charge.
    pub remaining: u32,
    /// The rest that the algorithm needs: see [`State::receipt_tag`](super::State::receipt_tag).
    pub tag: u64,
    /// How long the bucket had been full at any time before, in microseconds: see
    /// [`State::full_for`](super::State::full_for). 0 for windows and permits.
    pub full_for: Micros,
}

/// A charge whose cost changes afterwards: a refund, or the settlement of an estimate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settlement {
    pub receipt: Receipt,
    /// The cost that counts so far: what the receipt has taken, or an earlier settlement's `to`.
    pub from: u32,
    /// The cost that is to count.
    pub to: u32,
}

impl Settlement {
    /// Returns the settlement of a charge at nothing.
    #[inline]
    pub fn refund(receipt: Receipt) -> Self {
        Self {
            receipt,
            from: receipt.taken,
            to: 0,
        }
    }

    /// Returns the cost that is refunded; 0 if more is charged.
    #[inline]
    pub(super) fn given(&self) -> u32 {
        self.from.saturating_sub(self.to)
    }

    /// Returns the cost that is charged on top; 0 if some is refunded.
    #[inline]
    pub(super) fn more(&self) -> u32 {
        self.to.saturating_sub(self.from)
    }

    /// Returns a usage of which this charge is a part, as it is afterwards. No count goes below 0
    /// or above `u32::MAX`.
    #[inline]
    pub(super) fn apply(&self, used: u32) -> u32 {
        used.saturating_sub(self.given())
            .saturating_add(self.more())
    }
}

impl Receipt {
    /// Returns the receipt of a permit, which its identifier alone describes.
    #[inline]
    pub fn of_permit(permit_id: PermitId) -> Self {
        Self {
            // 0 would mean that nothing was taken.
            at: 1,
            taken: 1,
            remaining: 0,
            tag: permit_id.0,
            full_for: 0,
        }
    }
}
