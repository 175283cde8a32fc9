//! Receipts of charges. A store issues one with each charge, and a refund hands it back.

use crate::{limit::PermitId, time::Micros};

/// The record of one charge, by which it can be refunded exactly. Only a charge that took something
/// has one; together with its key and limit, it says everything that a refund needs.
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
        }
    }
}
