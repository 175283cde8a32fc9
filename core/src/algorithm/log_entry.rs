//! The entries of the admission log of a sliding window, packed.

use crate::time::Micros;

/// An entry of ten bytes; with alignment it would have sixteen.
#[derive(Clone, Copy, Debug)]
pub(super) struct LogEntry {
    time: [u8; 7],
    /// The running sum, modulo [`SUM_SPAN`]: a window holds at most [`SUM_SPAN`] - 1, which is 16
    /// times the largest limit.
    sum: [u8; 3],
}

/// The span of running sums. `sliding_window.lua` repeats it.
pub(super) const SUM_SPAN: u32 = 1 << 24;

impl LogEntry {
    #[allow(
        clippy::many_single_char_names,
        reason = "the bytes of one number, most significant first"
    )]
    #[inline]
    pub(super) fn new(time: Micros, sum: u32) -> Self {
        let [_, a, b, c, d, e, f, g] = time.to_be_bytes();
        let [_, x, y, z] = sum.to_be_bytes();
        Self {
            time: [a, b, c, d, e, f, g],
            sum: [x, y, z],
        }
    }

    #[inline]
    pub(super) fn sum(&self) -> u32 {
        let [x, y, z] = self.sum;
        u32::from_be_bytes([0, x, y, z])
    }

    #[inline]
    pub(super) fn set_sum(&mut self, sum: u32) {
        let [_, sum @ ..] = sum.to_be_bytes();
        self.sum = sum;
    }

    #[allow(clippy::many_single_char_names, reason = "as above")]
    #[inline]
    pub(super) fn time(&self) -> Micros {
        let [a, b, c, d, e, f, g] = self.time;
        u64::from_be_bytes([0, a, b, c, d, e, f, g])
    }

    /// Returns the age of the entry; `None` if it is in the future.
    #[inline]
    pub(super) fn age(&self, now: Micros) -> Option<Micros> {
        now.checked_sub(self.time())
    }
}

/// Returns what was added to a running sum since it was `base`.
#[inline]
pub(super) fn since(base: u32, sum: u32) -> u32 {
    sum.wrapping_sub(base) % SUM_SPAN
}
