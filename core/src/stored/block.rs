//! The value of a block: its start, its end and the offences that it remembers. The twin of
//! `save_block` in `rare.lua`.

use super::{
    bytes::{push, take},
    margin::EXPIRY_MARGIN,
};
use crate::decide::Block;

/// The length of the value in bytes.
const LENGTH: usize = 29;

/// The value of a block's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredBlock(pub Block);

impl StoredBlock {
    /// Reads a value. Returns `None` if it is not one of this library's.
    #[must_use]
    pub fn decode(mut raw: &[u8]) -> Option<Self> {
        let start = take(&mut raw, 7)?;
        let until = take(&mut raw, 7)?;
        let offences = u8::try_from(take(&mut raw, 1)?).ok()?;
        let steps = u8::try_from(take(&mut raw, 1)?).ok()?;
        Some(Self(Block {
            start,
            until,
            offences,
            steps,
            next: take(&mut raw, 6)?,
            kept_until: take(&mut raw, 7)?,
        }))
    }

    /// Writes the value as the script does.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut raw = Vec::with_capacity(LENGTH);
        push(&mut raw, self.0.start, 7);
        push(&mut raw, self.0.until, 7);
        push(&mut raw, self.0.offences.into(), 1);
        push(&mut raw, self.0.steps.into(), 1);
        push(&mut raw, self.0.next, 6);
        push(&mut raw, self.0.kept_until, 7);
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
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::limit::Limit;

    #[test]
    fn block_is_read_as_it_was_written() {
        let block = StoredBlock(Block::keep_offences(
            None,
            1_764_000_000_000_000,
            600_000_000,
        ));
        let mut raw = block.encode();
        assert_eq!(raw.len(), LENGTH);
        assert_eq!(StoredBlock::decode(&raw), Some(block));
        raw.extend(b"marks of a cluster");
        assert_eq!(StoredBlock::decode(&raw), Some(block));
        assert_eq!(StoredBlock::decode(&raw[..LENGTH - 1]), None);
        let marker = block.encode_marker();
        assert!(block.is_covered_by(&marker));
        let longer = StoredBlock(Block::keep_offences(None, block.0.start, 600_000_001));
        assert!(!longer.is_covered_by(&marker));
        assert!(!block.is_covered_by(b""));
        assert_eq!(block.marker_expiry_millis(), 600_200);
        assert_eq!(block.expiry_millis(), 600_100);
    }

    #[test]
    fn offences_are_read_as_they_were_written() {
        let limit = Limit::per_second(1).block_steps(
            &const {
                [
                    Duration::from_secs(60),
                    Duration::from_secs(366 * 86_400),
                    Duration::from_secs(366 * 86_400),
                ]
            },
        );
        let first = Block::of_offence(None, &limit, 1_764_000_000_000_000);
        let block = StoredBlock(Block::of_offence(Some(first), &limit, first.until));
        assert_eq!(StoredBlock::decode(&block.encode()), Some(block));
    }
}
