//! Positions in a file, for diagnostics.

/// Position in a file; line and column count from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Position {
    pub(super) line: usize,
    /// Column, in characters.
    pub(super) column: usize,
}
