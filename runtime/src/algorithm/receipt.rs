//! Receipts of charges. A store issues one with each charge, and a refund hands it back.

use crate::{clock::Micros, limit::PermitId};

/// The record of one charge, by which it can be refunded exactly. Only a charge that took something
/// has one; together with its key and limit, it says everything that a refund needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Receipt {
    /// The store's time of the charge, in microseconds.
    pub(crate) at: Micros,
    /// The cost that was taken.
    pub(crate) taken: u32,
    /// The quota that remained after the charge.
    pub(crate) remaining: u32,
    /// What the algorithm needs beside that; see [`State::receipt_tag`](super::State::receipt_tag).
    pub(crate) tag: u64,
}

impl Receipt {
    /// Returns the receipt of a permit, which its identifier alone describes.
    pub(crate) fn of_permit(permit_id: PermitId) -> Self {
        Self {
            // 0 would mean that nothing was taken.
            at: 1,
            taken: 1,
            remaining: 0,
            tag: permit_id.0,
        }
    }
}
