//! The lease pool: the accounts of all hot identities, and the requests served out of them. The
//! lease layer calls it; requests never wait for the store here.

use std::{
    slice,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use actix_throttle_core::{
    check::{Charge, Check, Outcomes},
    decision::Verdict,
    key::{Key, KeySelection},
    time::Micros,
    zone::written,
};
use parking_lot::{Mutex, MutexGuard};
use tokio::sync::RwLock;

use super::{
    account::{Account, IDLE_LIFETIMES, LeasedCharge},
    lease_key::LeaseKey,
    table::{AccountKey, AccountTable, Accounts, find, remove, set_expiry},
};
use crate::engine::{
    clock::Clock,
    observe::Observers,
    store::{
        expiring_table::ExpiringTable,
        interface::{Miss, Store, StoreError},
        key_hash::KeyHasher,
    },
};

/// The largest number of identity–zone pairs that have accounts.
const CAPACITY: usize = 1 << 16;
const SHARDS: usize = 16;
/// Entries that each access examines, to drop the expired ones.
const SWEEP: usize = 2;

#[derive(Debug)]
pub(crate) struct LeasePool<S> {
    inner: S,
    pub(super) clock: Clock,
    pub(super) observers: Observers,
    hasher: KeyHasher,
    pub(super) shards: [Mutex<AccountTable>; SHARDS],
    /// The number of the next account. It is relaxed, because only uniqueness matters.
    numbers: AtomicU64,
    /// Whether leasing is on. A task holds the read lock while a grant of its own is in no account,
    /// so under the write lock there is no such grant.
    pub(super) leases: RwLock<bool>,
}

impl<S> LeasePool<S> {
    pub(super) fn new(inner: S, max_keys: usize, clock: Clock, observers: Observers) -> Self {
        let capacity = max_keys.min(CAPACITY).div_ceil(SHARDS);
        Self {
            inner,
            clock,
            observers,
            hasher: KeyHasher::new(),
            shards: std::array::from_fn(|_| Mutex::new(ExpiringTable::new(capacity))),
            numbers: AtomicU64::new(0),
            leases: RwLock::new(true),
        }
    }

    pub(super) fn inner(&self) -> &S {
        &self.inner
    }

    /// Asks the store for a check that no layer has looked at.
    pub(super) async fn ask_inner(&self, check: &Check<'_>) -> Result<Outcomes, StoreError>
    where
        S: Store,
    {
        self.inner
            .decide(slice::from_ref(check), Miss::UNASKED)
            .await
    }

    pub(super) fn now(&self) -> Micros {
        self.clock.now()
    }

    pub(super) fn lock(&self, (hash, _): AccountKey) -> MutexGuard<'_, AccountTable> {
        self.shards[hash.shard(SHARDS)].lock()
    }

    fn account_key(&self, key: &Key<'_>) -> AccountKey {
        (self.hasher.zone_hash(key), key.kind)
    }
}

impl<S: Store + 'static> LeasePool<S> {
    /// Charges a cost to a lease, if one has enough left.
    pub(super) fn take(
        self: &Arc<Self>,
        charge: &Charge<'_>,
    ) -> Option<(AccountKey, LeasedCharge)> {
        let at = self.account_key(&charge.key);
        let mut shard = self.lock(at);
        // The time is read under the lock: a grant that has ended by then may be returned already.
        let now = self.now();
        let account = find(&mut shard, at, now)?;
        if !account.is_of(charge.limit.rate()?) {
            // The limit has other numbers than when the account was leased: close it.
            let account = remove(&mut shard, at)?;
            drop(shard);
            self.spawn_return([account]);
            return None;
        }
        let served = account.take(charge.cost, now)?;
        self.renew_if_low(account, at, now);
        Some((at, served))
    }

    /// Returns how a charge stands, if a lease has room for it.
    pub(super) fn peek(&self, charge: &Charge<'_>) -> Option<Verdict> {
        let at = self.account_key(&charge.key);
        let mut shard = self.lock(at);
        let now = self.now();
        let account = find(&mut shard, at, now)?;
        account.is_of(charge.limit.rate()?).then_some(())?;
        account.peek(charge.cost, now)
    }

    /// Puts back a leased charge whose request was not admitted.
    pub(super) fn put_back(self: &Arc<Self>, at: AccountKey, served: &LeasedCharge) {
        let mut shard = self.lock(at);
        let now = self.now();
        let Some(account) = find(&mut shard, at, now).filter(|one| one.number == served.number)
        else {
            // The account was closed in the meantime, so the leased charge counts as used.
            return;
        };
        if account.put_back(&served.receipt) {
            return;
        }
        let owner = Arc::clone(&account.owner);
        drop(shard);
        self.return_served(owner, served, now);
    }

    /// Records the store's verdict on a charge sent at `sent`, and returns it with what is leased
    /// here.
    pub(super) fn learn(
        self: &Arc<Self>,
        charge: &Charge<'_>,
        verdict: &Verdict,
        allowed: bool,
        sent: Micros,
    ) -> Verdict {
        let at = self.account_key(&charge.key);
        let mut shard = self.lock(at);
        let now = self.now();
        let mut closed: Vec<Account> = Vec::new();
        shard.sweep(SWEEP, now, |accounts| closed.extend(accounts));
        if let Some(limit) = charge.limit.rate()
            && allowed
            && find(&mut shard, at, now).is_none()
        {
            let owner = LeaseKey {
                identity: charge.key.identity.clone(),
                limit: *limit,
            };
            let number = self.numbers.fetch_add(1, Ordering::Relaxed);
            let dropped = |accounts: Accounts| closed.extend(accounts);
            let entry = shard.find_or_insert(at.0.fingerprint, now, Accounts::new, dropped);
            entry.value().push(Account::new(number, at.1, owner));
            entry.set_expiry(Micros::MAX);
        }
        let mut shown = *verdict;
        if let Some(account) = find(&mut shard, at, now) {
            if allowed {
                self.renew_if_low(account, at, now);
            }
            shown = account.learn(verdict, sent, now);
            self.ensure_watcher(account, at);
            let end = account.keep_until(now, IDLE_LIFETIMES);
            set_expiry(&mut shard, at, now, end);
        }
        drop(shard);
        self.spawn_return(closed);
        shown
    }

    /// Records that the store has refunded `taken` of a charge, sent at `sent`. Returns how the
    /// limit stands with what is leased here.
    pub(super) fn refunded(
        &self,
        charge: &Charge<'_>,
        taken: u32,
        verdict: &Verdict,
        sent: Micros,
    ) -> Verdict {
        let at = self.account_key(&charge.key);
        let mut shard = self.lock(at);
        let now = self.now();
        match find(&mut shard, at, now).filter(|account| {
            charge
                .limit
                .rate()
                .is_some_and(|limit| account.is_of(limit))
        }) {
            Some(account) => {
                account.refunded(taken);
                account.learn(verdict, sent, now)
            }
            None => *verdict,
        }
    }

    /// Drops the accounts of these counters without a refund, because the counters were deleted.
    pub(super) fn drop_accounts(&self, keys: &[Key<'_>]) {
        for key in keys {
            let at = self.account_key(key);
            drop(remove(&mut self.lock(at), at));
        }
    }

    /// Drops the selected accounts, like [`drop_accounts`](Self::drop_accounts).
    pub(super) fn drop_selected(&self, selection: &KeySelection) {
        for shard in &self.shards {
            for accounts in shard.lock().values_mut() {
                accounts.retain(|account| {
                    let zone = written(account.owner.limit.zone_name());
                    !selection.takes(&zone, account.kind)
                });
            }
        }
    }

    /// Closes all accounts in the zone of this key, and returns their leases.
    pub(super) fn end_zone(self: &Arc<Self>, key: &Key<'_>) {
        let at = self.account_key(key);
        let accounts = self.lock(at).remove(at.0.fingerprint);
        self.spawn_return(accounts.into_iter().flatten());
    }
}
