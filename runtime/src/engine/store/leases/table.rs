//! The table of accounts, by identity and zone. The lease pool calls it under a shard's lock.

use actix_throttle_core::{key::KeyKind, time::Micros};
use smallvec::SmallVec;

use super::account::Account;
use crate::engine::store::{
    expiring_table::{ExpiringTable, Worth},
    key_hash::KeyHash,
};

/// The accounts of one identity in one zone.
pub(super) type Accounts = SmallVec<[Account; 1]>;
pub(super) type AccountTable = ExpiringTable<Accounts>;

/// The hash of an account's identity and zone, and its counter in that zone.
pub(super) type AccountKey = (KeyHash, KeyKind);

pub(super) fn find(
    shard: &mut AccountTable,
    (key_hash, kind): AccountKey,
    now: Micros,
) -> Option<&mut Account> {
    let accounts = shard.find_mut(key_hash.fingerprint, now)?.value();
    accounts.iter_mut().find(|account| account.kind == kind)
}

pub(super) fn remove(shard: &mut AccountTable, (key_hash, kind): AccountKey) -> Option<Account> {
    let accounts = shard.find_mut(key_hash.fingerprint, 0)?.value();
    let index = accounts.iter().position(|account| account.kind == kind)?;
    Some(accounts.remove(index))
}

pub(super) fn set_expiry(
    shard: &mut AccountTable,
    (key_hash, _): AccountKey,
    now: Micros,
    end: Micros,
) {
    if let Some(entry) = shard.find_mut(key_hash.fingerprint, now) {
        let accounts = entry.value();
        let others = accounts.iter().map(|account| account.keep_until(0, 0));
        let end = others.max().unwrap_or(0).max(end);
        // Entries with live leases are evicted last: a flood of other identities must not end
        // leases.
        let serves = accounts.iter().any(|account| account.next_end().is_some());
        entry.set_expiry_and_worth(end, if serves { Worth::MOST } else { Worth::LEAST });
    }
}
