//! The error of a full store.

use crate::engine::store::interface::StoreError;

/// The error of a store without room for another key and without an entry to evict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Full;

impl From<Full> for StoreError {
    fn from(Full: Full) -> Self {
        Self::full()
    }
}
