use crate::{clock::Micros, limit::PermitId};

/// What is remembered of one charge, so that it can be given back exactly. Only a charge that took
/// something has one; with its key and limit it says all there is to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Receipt {
    /// The store's time at the charge.
    pub(crate) at: Micros,
    /// How much was taken.
    pub(crate) taken: u32,
    /// What remained after it.
    pub(crate) remaining: u32,
    /// What this algorithm wants to know beside that; see [`State::mark`](super::State::mark).
    pub(crate) tag: u64,
}

impl Receipt {
    /// The receipt of a place: who holds it says it all.
    pub(crate) fn of_permit(permit_id: PermitId) -> Self {
        Self {
            // 0 would say that nothing was taken.
            at: 1,
            taken: 1,
            remaining: 0,
            tag: permit_id.0,
        }
    }
}
