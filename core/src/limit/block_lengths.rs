//! [`BlockLengths`]: one length for all blocks of a limit, or a list of them.

use std::time::Duration;

/// The lengths of a limit's blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum BlockLengths {
    /// One length, in microseconds.
    One(u64),
    /// The lengths of the first, second, … block in a row. The last one is for all further ones.
    Steps(&'static [Duration]),
}
