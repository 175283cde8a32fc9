//! The value of a block: its start, its end and the offences. The twin of `start_block` in
//! `rare.lua`.

use super::{
    bytes::{push, take},
    margin::EXPIRY_MARGIN,
};
use crate::{decide::Block, time::Micros};

/// The value of a block's key. Only the expiry of the key says how long it is kept: a value that
/// was read counts as kept until its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredBlock(pub Block);

impl StoredBlock {
    /// Reads a value. Returns `None` if it is not one of this library's.
    #[must_use]
    pub fn decode(mut raw: &[u8]) -> Option<Self> {
        let start = take(&mut raw, 7)?;
        let until = take(&mut raw, 7)?;
        let offences = u8::try_from(take(&mut raw, 1)?).ok()?;
        Some(Self(Block {
            start,
            until,
            offences,
            kept_until: until,
        }))
    }

    /// Writes the value as the script does.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut raw = Vec::with_capacity(15);
        push(&mut raw, self.0.start, 7);
        push(&mut raw, self.0.until, 7);
        push(&mut raw, self.0.offences.into(), 1);
        raw
    }

    /// Returns the expiry of the key from the start of the block, in milliseconds.
    #[must_use]
    pub fn expiry_millis(&self) -> u64 {
        let length = self.0.kept_until.saturating_sub(self.0.start);
        length.div_ceil(1_000) + EXPIRY_MARGIN / 1_000
    }

    /// Writes the value of the marker that must be there for as long as the block.
    #[must_use]
    pub fn encode_marker(&self) -> Vec<u8> {
        let mut raw = Vec::with_capacity(7);
        push(&mut raw, self.0.until, 7);
        raw
    }

    /// Returns whether a marker with this value outlives the block.
    #[must_use]
    pub fn is_covered_by(&self, mut marker: &[u8]) -> bool {
        take(&mut marker, 7).is_some_and(|until| until >= self.0.until)
    }

    /// Returns the expiry of the marker from the start of the block, in milliseconds.
    #[must_use]
    pub fn marker_expiry_millis(&self) -> u64 {
        self.expiry_millis() + EXPIRY_MARGIN / 1_000
    }

    /// Returns the time that is left of the block, in microseconds; 0 if it is not in force.
    #[must_use]
    pub fn left(&self, now: Micros) -> Micros {
        self.0.left(now).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn block_is_read_as_it_was_written() {
        let block = StoredBlock(Block::keep_offences(
            None,
            1_764_000_000_000_000,
            600_000_000,
        ));
        let mut raw = block.encode();
        assert_eq!(raw.len(), 15);
        assert_eq!(StoredBlock::decode(&raw), Some(block));
        raw.extend(b"marks of a cluster");
        assert_eq!(StoredBlock::decode(&raw), Some(block));
        assert_eq!(StoredBlock::decode(&raw[..14]), None);
        let marker = block.encode_marker();
        assert!(block.is_covered_by(&marker));
        let longer = StoredBlock(Block::keep_offences(None, block.0.start, 600_000_001));
        assert!(!longer.is_covered_by(&marker));
        assert!(!block.is_covered_by(b""));
        assert_eq!(block.marker_expiry_millis(), 600_200);
        assert_eq!(block.expiry_millis(), 600_100);
        assert_eq!(block.left(block.0.start + 1), 599_999_999);
        // The clock has stepped back.
        assert_eq!(block.left(block.0.start - 1), 0);
    }
}
