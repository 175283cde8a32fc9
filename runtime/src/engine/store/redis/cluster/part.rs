//! The parts of a check in a cluster: its charges by the slots of their keys. `split.rs` makes them
//! and `rollback.rs` refunds them.

use actix_throttle_core::check::Charges;
use redis::cluster_routing::Slot;
use smallvec::SmallVec;

/// A part of a check: charges that are decided together, each with its index in the check.
#[derive(Debug)]
pub(crate) struct SlotPart<'a> {
    pub(crate) slot: Slot,
    pub(crate) indices: SmallVec<[usize; 1]>,
    pub(crate) charges: Charges<'a>,
    /// Whether the part is a single charge, decided by calls of one key.
    pub(crate) is_alone: bool,
}

impl<'a> SlotPart<'a> {
    /// The charges of the part, each as a part of its own.
    pub(crate) fn each(&self) -> SmallVec<[SlotPart<'a>; 1]> {
        let charges = self.charges.iter().enumerate();
        let each = charges.map(|(index, charge)| SlotPart {
            slot: self.slot,
            indices: SmallVec::from_elem(index, 1),
            charges: Charges::from_elem(*charge, 1),
            is_alone: true,
        });
        each.collect()
    }
}
