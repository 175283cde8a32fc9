//! The plain checks of a batch under construction, with the texts of their keys.
//!
//! Most checks are plain: charges under rate limits that are no shadows, with costs that are above
//! 0 and could fit. A batch of them is one call of a script of its own, which takes a third of the
//! processor time of the general one. `call.rs` packs the call, and `outcomes.rs` makes
//! the outcomes of the states in its reply. What is not plain goes to the general script.

use actix_throttle_core::{check::Check, key::Naming};

use crate::engine::store::redis::{
    key_table::KeyTable, plain::checks::PlainChecks, script::CallContext,
};

#[derive(Debug)]
pub(crate) struct PlainBuilder {
    pub(crate) keys: KeyTable,
    pub(crate) checks: PlainChecks,
    /// The idempotency key of the call, for a cluster client that may send the call twice.
    #[cfg(feature = "cluster")]
    pub(crate) idempotency_key: Option<String>,
}

impl PlainBuilder {
    pub(crate) fn new(naming: &Naming) -> Self {
        Self {
            keys: KeyTable::new(naming),
            checks: PlainChecks::default(),
            #[cfg(feature = "cluster")]
            idempotency_key: None,
        }
    }

    /// Adds a check, and returns whether it was added. One that is not plain, or has a key here
    /// under another limit, is for the general script.
    pub(crate) fn add(&mut self, check: &Check<'_>, context: &CallContext<'_>) -> bool {
        let Self { keys, checks, .. } = self;
        let is_added = checks.add(check, |charge| {
            let index = keys.index_of(&charge.key, context.hasher);
            usize::try_from(index).unwrap_or(0).saturating_sub(1)
        });
        #[cfg(feature = "cluster")]
        if is_added
            && self.idempotency_key.is_none()
            && context.remember_for.is_some()
            && let Some(charge) = check.charges.first()
        {
            let name = charge
                .key
                .idempotency_key(context.naming, fastrand::u64(..));
            self.idempotency_key = Some(name);
        }
        is_added
    }

    /// Whether the call names a key of an identity and zone of this check.
    pub(crate) fn concerns(&self, check: &Check<'_>, context: &CallContext<'_>) -> bool {
        let mut charges = check.charges.iter();
        charges.any(|charge| self.keys.has_of_zone(&charge.key, context.hasher))
    }

    /// Takes another idempotency key, for another call of these checks: the earlier call may still
    /// be called off by its own.
    #[cfg(feature = "cluster")]
    pub(crate) fn renew_idempotency_key(&mut self) {
        if let Some(name) = &mut self.idempotency_key
            && let Some((stem, _)) = name.rsplit_once(':')
        {
            *name = format!("{stem}:{:016x}", fastrand::u64(..));
        }
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
