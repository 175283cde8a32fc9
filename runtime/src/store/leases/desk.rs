//! Where leases are kept, asked for and given back.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use parking_lot::{Mutex, MutexGuard};
use smallvec::smallvec;
use tokio::{runtime::Handle, task::AbortHandle};

use super::{
    account::{Account, Grant, Owner, Served},
    shelf::{Accounts, At, Shard, find, remove, set_expiry},
};
use crate::{
    clock::{Clock, Micros},
    decision::Verdict,
    key::Key,
    limit::Algorithm,
    store::{
        interface::{Charge, Check, Mode, Outcome, Store},
        place::Hasher,
        table::Table,
    },
};

/// So many identities in a zone have an account at most.
const CAPACITY: usize = 1 << 16;
const SHARDS: usize = 16;
/// How many entries each use drops if they have expired.
const SWEEP: usize = 2;
/// An account that has not been used for so many lifetimes of a lease is closed.
const IDLE: u64 = 4;

#[derive(Debug)]
pub(crate) struct Desk<S> {
    inner: S,
    clock: Clock,
    hasher: Hasher,
    shards: [Mutex<Shard>; SHARDS],
    numbers: AtomicU64,
}

impl<S> Desk<S> {
    pub(super) fn new(inner: S, max_keys: usize, clock: Clock) -> Self {
        let capacity = max_keys.min(CAPACITY).div_ceil(SHARDS);
        Self {
            inner,
            clock,
            hasher: Hasher::new(),
            shards: std::array::from_fn(|_| Mutex::new(Table::new(capacity))),
            numbers: AtomicU64::new(0),
        }
    }

    pub(super) fn inner(&self) -> &S {
        &self.inner
    }

    pub(super) fn now(&self) -> Micros {
        self.clock.now()
    }

    fn lock(&self, (place, _): At) -> MutexGuard<'_, Shard> {
        self.shards[place.shard(SHARDS)].lock()
    }

    fn at(&self, key: &Key<'_>) -> At {
        (self.hasher.zone(key), key.slot)
    }
}

impl<S: Store + 'static> Desk<S> {
    /// Serves a charge out of what is leased, if there is enough.
    pub(super) fn take(self: &Arc<Self>, charge: &Charge<'_>) -> Option<(At, Served)> {
        let at = self.at(&charge.key);
        let mut shard = self.lock(at);
        // Read under the lock: what has ended by then is nobody's.
        let now = self.now();
        let account = find(&mut shard, at, now)?;
        if !account.is_of(charge.limit) {
            // Another limit than it was leased under: that is closed.
            let account = remove(&mut shard, at)?;
            drop(shard);
            self.return_soon([account]);
            return None;
        }
        let served = account.take(charge.cost, now)?;
        self.renew_if_low(account, at, now);
        Some((at, served))
    }

    /// How a charge stands that would be served here.
    pub(super) fn peek(&self, charge: &Charge<'_>) -> Option<Verdict> {
        let at = self.at(&charge.key);
        let mut shard = self.lock(at);
        let now = self.now();
        let account = find(&mut shard, at, now)?;
        account.is_of(charge.limit).then_some(())?;
        account.peek(charge.cost, now)
    }

    /// Puts back what was served in vain.
    pub(super) fn put_back(self: &Arc<Self>, at: At, served: &Served) {
        let mut shard = self.lock(at);
        let now = self.now();
        let Some(account) = find(&mut shard, at, now).filter(|one| one.number == served.number)
        else {
            // It was closed meanwhile, for a reason.
            return;
        };
        if account.put_back(&served.receipt) {
            return;
        }
        let owner = Arc::clone(&account.owner);
        drop(shard);
        let grant = Grant {
            left: served.receipt.taken,
            receipt: served.receipt,
            until: now,
        };
        let desk = Arc::clone(self);
        spawn(async move { desk.give_back(&owner, &[grant]).await });
    }

    /// The store has decided a charge, asked at `sent`: how that stands with what is leased here.
    pub(super) fn learn(
        self: &Arc<Self>,
        charge: &Charge<'_>,
        verdict: &Verdict,
        allowed: bool,
        sent: Micros,
    ) -> Verdict {
        let at = self.at(&charge.key);
        let mut shard = self.lock(at);
        let now = self.now();
        let mut closed: Vec<Account> = Vec::new();
        shard.sweep(SWEEP, now, |accounts| closed.extend(accounts));
        if allowed && find(&mut shard, at, now).is_none() {
            let owner = Owner {
                identity: charge.key.identity.clone(),
                limit: *charge.limit,
            };
            let number = self.numbers.fetch_add(1, Ordering::Relaxed);
            let dropped = |accounts: Accounts| closed.extend(accounts);
            let slot = shard.find_or_insert(at.0.print, now, Accounts::new, dropped);
            slot.value().push(Account::new(number, at.1, owner));
            slot.set_expiry(Micros::MAX);
        }
        let mut shown = *verdict;
        if let Some(account) = find(&mut shard, at, now) {
            if allowed {
                self.renew_if_low(account, at, now);
            }
            shown = account.learn(verdict, sent, now);
            let end = account.keep_until(now, IDLE);
            set_expiry(&mut shard, at, now, end);
        }
        drop(shard);
        self.return_soon(closed);
        shown
    }

    /// The store has given back `taken` of a charge, asked at `sent`: how the limit stands with what
    /// is leased here.
    pub(super) fn refunded(
        &self,
        charge: &Charge<'_>,
        taken: u32,
        verdict: &Verdict,
        sent: Micros,
    ) -> Verdict {
        let at = self.at(&charge.key);
        let mut shard = self.lock(at);
        let now = self.now();
        match find(&mut shard, at, now).filter(|account| account.is_of(charge.limit)) {
            Some(account) => {
                account.refunded(taken);
                account.learn(verdict, sent, now)
            }
            None => *verdict,
        }
    }

    /// Forgets what is leased of these counters, which are no more.
    pub(super) fn drop_accounts(&self, keys: &[Key<'_>]) {
        for key in keys {
            let at = self.at(key);
            drop(remove(&mut self.lock(at), at));
        }
    }

    /// Gives back all that is leased in the zone of this key.
    pub(super) fn end_zone(self: &Arc<Self>, key: &Key<'_>) {
        let at = self.at(key);
        let accounts = self.lock(at).remove(at.0.print);
        self.return_soon(accounts.into_iter().flatten());
    }

    /// Gives back everything.
    pub(super) async fn retire(&self) {
        for shard in &self.shards {
            let accounts: Vec<Account> = shard.lock().drain().flatten().collect();
            for mut account in accounts {
                let grants = account.take_all();
                self.give_back(&account.owner, &grants).await;
            }
        }
    }

    /// Has a lease asked for if there should be one, by a task: no request waits for it.
    fn renew_if_low(self: &Arc<Self>, account: &mut Account, at: At, now: Micros) {
        let Some(wish) = account.wish(now) else {
            return;
        };
        let (desk, owner) = (Arc::clone(self), Arc::clone(&account.owner));
        let number = account.number;
        account.renewal = spawn(async move { desk.renew(at, number, &owner, wish).await });
    }

    async fn renew(self: Arc<Self>, at: At, number: u64, owner: &Owner, wish: u32) {
        let sent = self.now();
        let check = Check {
            mode: Mode::Lease,
            charges: smallvec![owner.charge(wish)],
        };
        let outcomes = self.inner.decide(std::slice::from_ref(&check)).await;
        let outcome = outcomes.ok().and_then(|all| all.into_iter().next());
        let granted = outcome.and_then(|outcome| grant(&outcome, owner, sent));
        if let Some(refused) = self.deposit(at, number, granted, sent) {
            self.give_back(owner, &[refused]).await;
        }
    }

    /// Puts a grant into the account that asked for it at `sent`. It is returned if that was closed
    /// meanwhile.
    fn deposit(
        self: &Arc<Self>,
        at: At,
        number: u64,
        granted: Option<(Grant, Verdict)>,
        sent: Micros,
    ) -> Option<Grant> {
        let mut shard = self.lock(at);
        let now = self.now();
        let account = find(&mut shard, at, now).filter(|account| account.number == number);
        let Some(account) = account else {
            return granted.map(|(grant, _)| grant);
        };
        let has_grant = granted.is_some();
        account.renewed(granted, sent, now);
        if has_grant && !account.is_watched() {
            account.watcher = spawn(Arc::clone(self).watch(at, number));
        }
        let end = account.keep_until(now, IDLE);
        set_expiry(&mut shard, at, now, end);
        None
    }

    /// Gives back what is left of each grant at its end.
    async fn watch(self: Arc<Self>, at: At, number: u64) {
        loop {
            let own = |account: &&mut Account| account.number == number;
            let next = {
                let mut shard = self.lock(at);
                let Some(account) = find(&mut shard, at, 0).filter(own) else {
                    return;
                };
                let Some(next) = account.next_end() else {
                    account.watcher = None;
                    return;
                };
                next
            };
            self.clock.sleep_until(next).await;
            let (owner, ended) = {
                let mut shard = self.lock(at);
                let now = self.now();
                let Some(account) = find(&mut shard, at, 0).filter(own) else {
                    return;
                };
                (Arc::clone(&account.owner), account.end_grants(now))
            };
            self.give_back(&owner, &ended).await;
        }
    }

    fn return_soon(self: &Arc<Self>, accounts: impl IntoIterator<Item = Account>) {
        for mut account in accounts {
            let grants = account.take_all();
            if !grants.is_empty() {
                let desk = Arc::clone(self);
                spawn(async move { desk.give_back(&account.owner, &grants).await });
            }
        }
    }

    /// What cannot be given back counts as used.
    async fn give_back(&self, owner: &Owner, grants: &[Grant]) {
        for grant in grants {
            let mut receipt = grant.receipt;
            receipt.taken = grant.left;
            let receipts = [Some(receipt)];
            let check = Check {
                mode: Mode::Refund(&receipts),
                charges: smallvec![owner.charge(grant.left)],
            };
            let _ = self.inner.decide(std::slice::from_ref(&check)).await;
        }
    }
}

/// What the store has granted, asked at `sent`: it was granted later, so it ends no later here than
/// there.
fn grant(outcome: &Outcome, owner: &Owner, sent: Micros) -> Option<(Grant, Verdict)> {
    let receipt = outcome.receipts.first().copied().flatten()?;
    let verdict = *outcome.verdicts.first()?;
    let mut held = owner.lifetime();
    if owner.limit.kind() == Algorithm::FixedWindow {
        held = held.min(verdict.reset);
    }
    let grant = Grant {
        left: receipt.taken,
        receipt,
        until: sent.saturating_add(held),
    };
    Some((grant, verdict))
}

/// As a task of this runtime. Without one, nothing is leased.
fn spawn(task: impl Future<Output = ()> + Send + 'static) -> Option<AbortHandle> {
    let runtime = Handle::try_current().ok()?;
    Some(runtime.spawn(task).abort_handle())
}
