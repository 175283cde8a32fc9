//! The contract between a limiter and its store: [`Store`], the checks it decides and the outcomes
//! it returns. The limiter calls it, and each layer of the [`Stack`](super::Stack) implements it
//! around another one. Nothing here depends on what a store is made of.

use std::{future::Future, time::Duration};

use actix_throttle_core::{
    check::{Check, Outcome, Outcomes},
    decide::Precedence,
    identity::IdentityQuery,
    key::{Key, KeySelection},
    stored::StoredEntry,
    time::Micros,
};

pub(crate) use super::store_error::StoreError;

/// A store decides checks. `Err` means that it could not decide; a denial is an [`Outcome`].
///
/// # Cancel safety
///
/// A caller may drop the future of any method. What it had sent to Redis may take effect all the
/// same.
pub(crate) trait Store: Send + Sync {
    /// Decides one check without I/O.
    ///
    /// # Errors
    ///
    /// A [`Miss`] if that needs [`decide`](Self::decide), which takes it.
    fn try_decide(&self, _check: &Check<'_>) -> Result<Outcome, Miss> {
        Err(Miss::UNASKED)
    }

    /// Decides each check atomically, in the given order: a later check sees what earlier ones
    /// charged. The checks may come from several requests. The outcomes have the order of the
    /// checks.
    ///
    /// `miss` is what [`try_decide`](Self::try_decide) has returned for a check that stands alone,
    /// or [`Miss::UNASKED`].
    fn decide(
        &self,
        checks: &[Check<'_>],
        miss: Miss,
    ) -> impl Future<Output = Result<Outcomes, StoreError>> + Send;

    /// Deletes the state under these keys.
    fn delete(&self, keys: &[Key<'_>]) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Deletes the selected entries.
    fn delete_selected(
        &self,
        selection: &KeySelection,
        bounds: ScanBounds,
    ) -> impl Future<Output = Result<Scanned, StoreError>> + Send;

    /// Reads everything that is counted for an identity.
    fn read_identity(
        &self,
        who: &IdentityQuery,
        bounds: ScanBounds,
    ) -> impl Future<Output = Result<(Vec<StoredEntry>, Scanned), StoreError>> + Send;

    /// Blocks the key's identity in the key's zone for `length` microseconds from now on. Returns
    /// `false` if a block that takes precedence is in force, which stays as it is.
    fn block(
        &self,
        key: &Key<'_>,
        length: Micros,
        precedence: Precedence,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Closes the store's connections. A later call gets an `Err` or opens new connections.
    fn close(&self);
}

/// The bounds of a scan of all keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ScanBounds {
    /// The most keys to look at.
    pub(crate) max_keys: u64,
    /// The longest time.
    pub(crate) max_time: Duration,
}

/// The result of a scan of all keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Scanned {
    /// The approximate number of keys that were looked at, those of other applications included.
    pub(crate) looked_at: u64,
    /// The number of keys that were deleted.
    pub(crate) deleted: u64,
    /// Whether all keys were looked at.
    pub(crate) is_complete: bool,
}

impl Scanned {
    /// The scan of a store that has no keys.
    pub(crate) const NOTHING: Self = Self {
        looked_at: 0,
        deleted: 0,
        is_complete: true,
    };
}

/// The lookups that the layers of a store have made for a check before they gave up, so that none
/// is made again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Miss {
    /// The denial cache has no denial of the check, and none that is due for revalidation.
    pub(super) has_no_denial: bool,
    /// No lease covers the check's only charge.
    pub(super) has_no_lease: bool,
}

impl Miss {
    /// Nothing was looked up.
    pub(crate) const UNASKED: Self = Self {
        has_no_denial: false,
        has_no_lease: false,
    };
}
