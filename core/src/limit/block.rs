//! How long an identity that exceeds a limit is blocked: for one length, or for longer with each
//! further offence.

use std::time::Duration;

use super::{Limit, block_lengths::BlockLengths};
use crate::{
    intern::intern_lengths,
    time::{Micros, to_micros, whole_micros},
};

impl Limit {
    /// Blocks an identity that exceeds the limit: for this long, everything of it in this zone is
    /// denied. From 1 ms to 366 days. Default: no block.
    pub const fn block(mut self, length: Duration) -> Self {
        self.block = Some(BlockLengths::One(whole_micros(length)));
        self
    }

    /// Blocks an identity that exceeds the limit, for longer with each further offence: the first
    /// block lasts for the first of these lengths, the next for the second, and all further ones
    /// for the last. The offences are forgotten once the identity has not been blocked for as long
    /// as the longest of the lengths.
    ///
    /// From 1 to 16 lengths, each from 1 ms to 366 days and none shorter than the one before.
    /// Limits of one zone count their offences together.
    ///
    /// ```
    /// use std::time::Duration;
    /// use actix_throttle::Limit;
    ///
    /// const LOGIN: Limit = Limit::per_minute(5)
    ///     .block_steps(&[
    ///         Duration::from_secs(60),
    ///         Duration::from_secs(600),
    ///         Duration::from_secs(3_600),
    ///     ])
    ///     .expect_valid();
    /// # let _ = LOGIN;
    /// ```
    pub const fn block_steps(mut self, lengths: &'static [Duration]) -> Self {
        self.block = Some(BlockLengths::Steps(lengths));
        self
    }

    /// Sets the lengths that an attribute or a configuration gives.
    #[doc(hidden)]
    pub fn blocks(self, lengths: &[Duration]) -> Self {
        match lengths {
            [length] => self.block(*length),
            lengths => self.block_steps(intern_lengths(lengths)),
        }
    }

    /// Returns the length of the first block in microseconds; 0 means that there is none.
    #[doc(hidden)]
    #[must_use]
    #[inline]
    pub fn block_micros(&self) -> Micros {
        self.block_length(1)
    }

    /// Returns the length of the block for the offence of this number, from 1, in microseconds; 0
    /// means that there is none.
    #[doc(hidden)]
    #[must_use]
    #[inline]
    pub fn block_length(&self, offence: u8) -> Micros {
        match self.block {
            None => 0,
            Some(BlockLengths::One(length)) => length,
            Some(BlockLengths::Steps(lengths)) => {
                let index = usize::from(offence.max(1) - 1);
                let length = lengths.get(index).or(lengths.last());
                length.copied().map_or(0, to_micros)
            }
        }
    }

    /// Returns the lengths of a limit that counts offences; empty for all others.
    #[doc(hidden)]
    #[must_use]
    #[inline]
    pub fn steps(&self) -> &'static [Duration] {
        match self.block {
            Some(BlockLengths::Steps(lengths)) if lengths.len() > 1 => lengths,
            _ => &[],
        }
    }

    /// Returns the length of the longest block in microseconds; 0 means that there is none.
    #[doc(hidden)]
    #[must_use]
    pub fn longest_block(&self) -> Micros {
        self.block_length(u8::MAX)
    }
}
