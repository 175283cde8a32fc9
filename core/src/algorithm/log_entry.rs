//! The entries of the admission log of a sliding window, packed.

use crate::time::Micros;

/// An entry of ten bytes; with alignment it would have sixteen.
///
/// The time has 52 bits, which is until the year 2112. The running sum has 28, modulo
/// [`SUM_SPAN`]: a window holds at most [`SUM_SPAN`] - 1, which is 268 times the largest limit.
#[derive(Clone, Copy, Debug)]
pub(super) struct LogEntry {
    /// The time, and the upper 12 bits of the sum.
    high: [u8; 8],
    /// The lower 16 bits of the sum.
    low: [u8; 2],
}

/// The span of running sums. `sliding_window.lua` repeats it.
pub(super) const SUM_SPAN: u32 = 1 << 28;

impl LogEntry {
    #[inline]
    pub(super) fn new(time: Micros, sum: u32) -> Self {
        let sum = sum % SUM_SPAN;
        let [_, _, x, y] = sum.to_be_bytes();
        Self {
            high: (time << 12 | u64::from(sum >> 16)).to_be_bytes(),
            low: [x, y],
        }
    }

    #[inline]
    pub(super) fn sum(&self) -> u32 {
        let [.., w, v] = self.high;
        let [x, y] = self.low;
        u32::from_be_bytes([w & 0xf, v, x, y])
    }

    #[inline]
    pub(super) fn set_sum(&mut self, sum: u32) {
        *self = Self::new(self.time(), sum);
    }

    #[inline]
    pub(super) fn time(&self) -> Micros {
        u64::from_be_bytes(self.high) >> 12
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
