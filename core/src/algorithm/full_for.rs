//! How long a bucket has been full, by which a settlement knows what time would have paid.

use crate::time::Micros;

/// The span of `FullFor`, in microseconds: twelve days. `bucket.lua` repeats it.
pub const FULL_FOR_SPAN: Micros = 1 << 40;

/// The time for which a bucket has been full since the epoch, in all, in microseconds and modulo
/// [`FULL_FOR_SPAN`]. Five bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct FullFor([u8; 5]);

impl FullFor {
    #[inline]
    pub(super) fn new(micros: Micros) -> Self {
        let [a, b, c, d, e, ..] = micros.to_le_bytes();
        Self([a, b, c, d, e])
    }

    #[inline]
    pub(super) fn micros(self) -> Micros {
        let [a, b, c, d, e] = self.0;
        u64::from_le_bytes([a, b, c, d, e, 0, 0, 0])
    }

    #[inline]
    pub(super) fn plus(self, micros: Micros) -> Self {
        Self::new(self.micros().wrapping_add(micros))
    }

    /// Returns how much longer it has been full than it had been at `earlier`, which was less than
    /// [`FULL_FOR_SPAN`] ago.
    #[inline]
    pub(super) fn since(self, earlier: Micros) -> Micros {
        self.micros().wrapping_sub(earlier) % FULL_FOR_SPAN
    }
}
