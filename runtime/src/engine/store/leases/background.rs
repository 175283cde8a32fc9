//! Background work of the lease pool: tasks that ask for leases and return what is left of them. No
//! request waits for these tasks.

use std::sync::Arc;

use actix_throttle_core::{
    check::{Check, Mode, Outcome},
    decision::Verdict,
    limit::Algorithm,
    time::Micros,
};
use futures_util::future::join_all;
use smallvec::smallvec;
use tokio::{runtime::Handle, task::AbortHandle};

use super::{
    account::{Account, Grant, IDLE_LIFETIMES, LeasedCharge},
    lease_key::LeaseKey,
    pool::LeasePool,
    table::{AccountKey, find, set_expiry},
};
use crate::engine::{observe::Event, store::interface::Store};

impl<S: Store + 'static> LeasePool<S> {
    /// Returns all leases, those being asked for right now included. Nothing is leased afterwards.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped midway, leases that are not returned yet count as used.
    pub(super) async fn return_leases(&self) {
        // The write lock waits for tasks that hold a grant outside of any account; such a grant
        // would otherwise never be returned.
        let mut leases = self.leases.write().await;
        *leases = false;
        let shards = self.shards.iter();
        let accounts: Vec<Account> = shards
            .flat_map(|shard| shard.lock().drain().flatten().collect::<Vec<_>>())
            .collect();
        // The leases are returned concurrently: the store can batch the calls, and one deadline
        // covers all of them if the store does not reply.
        join_all(accounts.into_iter().map(async |mut account| {
            let grants = account.take_all();
            self.return_unused(&account.owner, &grants).await;
        }))
        .await;
    }

    /// Spawns a task that asks for a lease, if the account should have one; no request waits for
    /// it.
    pub(super) fn renew_if_low(
        self: &Arc<Self>,
        account: &mut Account,
        at: AccountKey,
        now: Micros,
    ) {
        let Some(size) = account.next_request(now) else {
            return;
        };
        let (pool, owner) = (Arc::clone(self), Arc::clone(&account.owner));
        let number = account.number;
        account.renewal = spawn(async move { pool.renew(at, number, &owner, size).await });
    }

    /// Ensures that a task returns what is left when the account's grants end. An earlier task may
    /// have ended together with its worker.
    pub(super) fn ensure_watcher(self: &Arc<Self>, account: &mut Account, at: AccountKey) {
        if account.next_end().is_some() && !account.is_watched() {
            account.watcher = spawn(Arc::clone(self).watch(at, account.number));
        }
    }

    pub(super) fn spawn_return(self: &Arc<Self>, accounts: impl IntoIterator<Item = Account>) {
        for mut account in accounts {
            let grants = account.take_all();
            if !grants.is_empty() {
                let pool = Arc::clone(self);
                spawn(async move {
                    let _under_way = pool.leases.read().await;
                    pool.return_unused(&account.owner, &grants).await;
                });
            }
        }
    }

    /// Spawns a task that refunds a leased charge whose grant is gone.
    pub(super) fn return_served(
        self: &Arc<Self>,
        owner: Arc<LeaseKey>,
        served: &LeasedCharge,
        now: Micros,
    ) {
        let grant = Grant {
            left: served.receipt.taken,
            receipt: served.receipt,
            until: now,
        };
        let pool = Arc::clone(self);
        spawn(async move {
            let _under_way = pool.leases.read().await;
            pool.return_unused(&owner, &[grant]).await;
        });
    }

    /// Asks the store for a lease, and puts it into the account.
    ///
    /// # Cancel safety
    ///
    /// If the task is aborted with its runtime, the store may have granted a lease that is in no
    /// account: all of it counts as used.
    async fn renew(self: Arc<Self>, at: AccountKey, number: u64, owner: &LeaseKey, size: u32) {
        let leases = self.leases.read().await;
        if !*leases {
            return;
        }
        let sent = self.now();
        let check = Check {
            mode: Mode::Lease,
            charges: smallvec![owner.charge(size)],
        };
        let outcomes = self.ask_inner(&check).await;
        let outcome = outcomes.ok().and_then(|all| all.into_iter().next());
        let granted = outcome.and_then(|outcome| grant(&outcome, owner, sent));
        if let Some((grant, _)) = &granted {
            self.observers.tell(|| Event::LeaseTaken {
                policy: owner.policy(),
                cost: grant.left,
            });
        }
        if let Some(refused) = self.store_grant(at, number, granted, sent) {
            self.return_unused(owner, &[refused]).await;
        }
    }

    /// Puts a grant, asked for at `sent`, into the account of this number. If the account was
    /// closed in the meantime, returns the grant to the caller, which refunds it.
    fn store_grant(
        self: &Arc<Self>,
        at: AccountKey,
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
        account.renewed(granted, sent, now);
        self.ensure_watcher(account, at);
        let end = account.keep_until(now, IDLE_LIFETIMES);
        set_expiry(&mut shard, at, now, end);
        None
    }

    /// Waits for the end of each grant of an account, and returns what is left of it.
    ///
    /// # Cancel safety
    ///
    /// If the task is aborted with its runtime, the grants stay in the account, for the next
    /// watcher. Grants that it has taken out and not returned yet count as used.
    async fn watch(self: Arc<Self>, at: AccountKey, number: u64) {
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
            // The guard is taken before the grants leave the account: `return_leases` thus finds
            // every grant either in an account or behind a guard.
            let _under_way = self.leases.read().await;
            let (owner, ended) = {
                let mut shard = self.lock(at);
                let now = self.now();
                let Some(account) = find(&mut shard, at, 0).filter(own) else {
                    return;
                };
                (Arc::clone(&account.owner), account.end_grants(now))
            };
            self.return_unused(&owner, &ended).await;
        }
    }

    /// Refunds what is left of these grants. If a refund fails, its part counts as used.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped midway, what is not refunded yet counts as used.
    async fn return_unused(&self, owner: &LeaseKey, grants: &[Grant]) {
        for grant in grants {
            let mut receipt = grant.receipt;
            receipt.taken = grant.left;
            let receipts = [Some(receipt)];
            let check = Check {
                mode: Mode::Refund(&receipts),
                charges: smallvec![owner.charge(grant.left)],
            };
            let is_refunded = self.ask_inner(&check).await.is_ok();
            self.observers.tell(|| Event::LeaseReturned {
                policy: owner.policy(),
                unused: grant.left,
                is_refunded,
            });
        }
    }
}

/// Returns the grant of a lease asked for at `sent`. The store granted it later than that, so it
/// ends here no later than it does there.
fn grant(outcome: &Outcome, owner: &LeaseKey, sent: Micros) -> Option<(Grant, Verdict)> {
    let receipt = outcome.receipts.first().copied().flatten()?;
    let verdict = *outcome.verdicts.first()?;
    let mut held = owner.lifetime();
    if owner.limit.algorithm_value() == Algorithm::FixedWindow {
        held = held.min(verdict.reset);
    }
    let grant = Grant {
        left: receipt.taken,
        receipt,
        until: sent.saturating_add(held),
    };
    Some((grant, verdict))
}

/// Spawns a task on the current runtime; `None` without one, in which case nothing is leased.
fn spawn(task: impl Future<Output = ()> + Send + 'static) -> Option<AbortHandle> {
    let runtime = Handle::try_current().ok()?;
    Some(runtime.spawn(task).abort_handle())
}
