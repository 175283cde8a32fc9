//! The plain checks of a batch under construction, with the texts of their keys.
//!
//! Most checks are plain: charges under rate limits that are no shadows, with costs that are above
//! 0 and could fit. A batch of them is one call of a script of its own, which takes a third of the
//! processor time of the general one. `call.rs` packs the call, and `replay.rs` makes
//! the outcomes of the states in its reply. What is not plain goes to the general script, with the
//! rest of its batch.

use actix_throttle_core::{check::Check, key::Naming};

use crate::engine::store::redis::{
    key_table::KeyTable, plain::checks::PlainChecks, script::CallContext,
};

#[derive(Debug)]
pub(crate) struct PlainBuilder {
    pub(crate) keys: KeyTable,
    pub(crate) checks: PlainChecks,
}

impl PlainBuilder {
    pub(crate) fn new(naming: &Naming) -> Self {
        Self {
            keys: KeyTable::new(naming),
            checks: PlainChecks::default(),
        }
    }

    /// Adds a check, and returns whether it is plain. After one that is not, the checks before it
    /// must go to the general script with it.
    pub(crate) fn add(&mut self, check: &Check<'_>, context: &CallContext<'_>) -> bool {
        let Self { keys, checks } = self;
        checks.add(check, |charge| {
            let index = keys.index_of(&charge.key, context.hasher);
            usize::try_from(index).unwrap_or(0).saturating_sub(1)
        })
    }

    /// The number of checks.
    pub(crate) fn len(&self) -> usize {
        self.checks.len()
    }

    /// The number of keys that the checks name.
    pub(crate) fn keys(&self) -> usize {
        self.keys.len()
    }
}
