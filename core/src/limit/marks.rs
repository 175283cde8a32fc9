//! Marks of one charge: what the charge needs of its limit, beyond the numbers.

use super::Limit;

impl Limit {
    /// Marks the limit of a charge that has waited for its turn: a bucket counts the charge from
    /// the moment at which it was full again. Only the wait queue and tests use it.
    #[doc(hidden)]
    pub const fn in_turn(mut self) -> Self {
        self.in_turn = true;
        self
    }

    /// Marks the limit of a charge that may be settled later: a bucket then keeps its latest
    /// charges, so that the settlement is exact.
    #[doc(hidden)]
    pub const fn for_settlement(mut self) -> Self {
        self.for_settlement = true;
        self
    }

    /// Returns whether the charge may be settled later.
    #[doc(hidden)]
    #[inline]
    pub const fn is_for_settlement(&self) -> bool {
        self.for_settlement
    }

    /// Removes the marks of one charge.
    #[inline]
    pub(super) const fn remove_marks(&mut self) {
        self.in_turn = false;
        self.for_settlement = false;
    }

    /// Returns whether the charge has waited for its turn.
    #[doc(hidden)]
    pub const fn is_in_turn(&self) -> bool {
        self.in_turn
    }
}
