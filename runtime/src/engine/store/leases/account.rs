//! The account of one counter: what this process has leased of it, and how much it will lease next.
//! [`LeasePool`](super::LeasePool) keeps accounts behind its locks and passes the time in; an
//! account never calls the store.

use std::sync::Arc;

use actix_throttle_core::{
    algorithm::{Receipt, Wait},
    decision::Verdict,
    key::KeyKind,
    limit::{Algorithm, Limit},
    time::Micros,
};
use smallvec::SmallVec;
use tokio::task::AbortHandle;

use super::lease_key::LeaseKey;

/// The size of an identity's first lease. Each used-up lease is followed by one twice as large.
const FIRST: u32 = 2;
/// The number of lifetimes of a lease without use after which an account is closed.
pub(super) const IDLE_LIFETIMES: u64 = 4;

/// The leases of this process of one counter.
#[derive(Debug)]
pub(super) struct Account {
    /// The number that distinguishes this account from an earlier or later one of the same counter.
    pub(super) number: u64,
    /// The counter of its zone that this is.
    pub(super) kind: KeyKind,
    pub(super) owner: Arc<LeaseKey>,
    /// The live grants, oldest first.
    grants: SmallVec<[Grant; 2]>,
    /// The size that the last lease asked for, or less if that one was not used up.
    size: u32,
    /// The tasks that ask for a lease and that return what is left when a grant ends. Both end with
    /// their runtime.
    pub(super) renewal: Option<AbortHandle>,
    pub(super) watcher: Option<AbortHandle>,
    /// The time at which the store last decided for this counter, on a request or a lease.
    asked: Micros,
    /// The end of the pause after an empty lease: no lease is asked for before.
    pause_until: Micros,
    /// The store's latest verdict, apart from what is leased here: the remaining quota, when all of
    /// it is back, and when more of it is.
    remaining: u32,
    reset_at: Micros,
    more_at: Micros,
    /// The remaining quota that was last shown of a fixed window, and the end of that window.
    shown: u32,
    shown_until: Micros,
}

/// A part of the quota that the store has granted and this process serves.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grant {
    pub(super) left: u32,
    pub(super) receipt: Receipt,
    pub(super) until: Micros,
}

/// One charge that was served out of a grant.
#[derive(Clone, Copy, Debug)]
pub(super) struct LeasedCharge {
    pub(super) number: u64,
    pub(super) receipt: Receipt,
    pub(super) verdict: Verdict,
}

impl Account {
    pub(super) fn new(number: u64, kind: KeyKind, owner: LeaseKey) -> Self {
        Self {
            number,
            kind,
            owner: Arc::new(owner),
            grants: SmallVec::new(),
            size: FIRST,
            renewal: None,
            watcher: None,
            asked: 0,
            pause_until: 0,
            remaining: 0,
            reset_at: 0,
            more_at: 0,
            shown: u32::MAX,
            shown_until: 0,
        }
    }

    /// Returns whether the account was leased under the numbers of `limit`, and so that its charges
    /// can be settled if those of `limit` can.
    pub(super) fn is_of(&self, limit: &Limit) -> bool {
        let own = &self.owner.limit;
        (own.times(), own.quota(), own.lease_size())
            == (limit.times(), limit.quota(), limit.lease_size())
            && (own.is_for_settlement() || !limit.is_for_settlement())
    }

    /// Charges `cost` to one grant that has not ended.
    pub(super) fn take(&mut self, cost: u32, now: Micros) -> Option<LeasedCharge> {
        let mut grants = self.grants.iter_mut();
        let grant = grants.find(|grant| grant.left >= cost && now < grant.until)?;
        grant.left -= cost;
        let receipt = Receipt {
            taken: cost,
            // The receipt reads as if the whole grant had been charged at once and this charge came
            // right after those served before it, so what is left of the grant is not charged yet.
            remaining: grant.receipt.remaining.saturating_add(grant.left),
            ..grant.receipt
        };
        Some(LeasedCharge {
            number: self.number,
            receipt,
            verdict: self.verdict(now),
        })
    }

    /// Returns how the limit stands if a grant has room for `cost`, and charges nothing.
    pub(super) fn peek(&mut self, cost: u32, now: Micros) -> Option<Verdict> {
        let fits = |grant: &Grant| grant.left >= cost && now < grant.until;
        let fits = self.grants.iter().any(fits);
        fits.then(|| self.verdict(now))
    }

    /// Puts a leased charge back into its grant; returns false if the grant is gone.
    pub(super) fn put_back(&mut self, receipt: &Receipt) -> bool {
        let mut grants = self.grants.iter_mut();
        let same = |grant: &&mut Grant| {
            (grant.receipt.at, grant.receipt.tag) == (receipt.at, receipt.tag)
                && grant.left + receipt.taken <= grant.receipt.taken
        };
        match grants.find(same) {
            Some(grant) => {
                grant.left += receipt.taken;
                true
            }
            None => false,
        }
    }

    /// Records the store's verdict on a request sent at `sent`, and returns it with what is leased
    /// here added to what remains.
    pub(super) fn learn(&mut self, verdict: &Verdict, sent: Micros, now: Micros) -> Verdict {
        self.asked = now;
        self.update(verdict, sent);
        let shown = self.verdict(now);
        if verdict.blocked {
            *verdict
        } else {
            Verdict {
                remaining: shown.remaining,
                ..*verdict
            }
        }
    }

    /// Records that the store has refunded `taken` of what was served here.
    pub(super) fn refunded(&mut self, taken: u32) {
        self.shown = self.shown.saturating_add(taken);
    }

    /// Returns whether a task returns what is left when a grant ends.
    pub(super) fn is_watched(&self) -> bool {
        self.watcher
            .as_ref()
            .is_some_and(|task| !task.is_finished())
    }

    /// Returns when the account may be closed: after `idle` lifetimes of a lease from `now`, or
    /// later if a grant or the shown window lasts longer.
    pub(super) fn keep_until(&self, now: Micros, idle: u64) -> Micros {
        let idle = now.saturating_add(self.owner.lifetime().saturating_mul(idle));
        let grants = self.grants.iter().map(|grant| grant.until).max();
        idle.max(self.shown_until)
            .max(grants.unwrap_or(0))
            .saturating_add(1)
    }

    /// Returns how much to lease now, if anything. The pool asks after each admitted request.
    pub(super) fn next_request(&self, now: Micros) -> Option<u32> {
        let left = self.left(now);
        let is_hot = now.saturating_sub(self.asked) < self.owner.lifetime();
        let is_renewing = self
            .renewal
            .as_ref()
            .is_some_and(|task| !task.is_finished());
        let rests = is_renewing || now < self.pause_until;
        if rests || !is_hot || left > self.size / 4 {
            return None;
        }
        Some(self.next_size().saturating_sub(left).max(1))
    }

    /// Records the result of a lease request sent at `sent`: a grant, or nothing.
    pub(super) fn renewed(&mut self, grant: Option<(Grant, Verdict)>, sent: Micros, now: Micros) {
        self.renewal = None;
        self.asked = now;
        let Some((grant, verdict)) = grant else {
            self.pause_until = now.saturating_add(self.owner.lifetime());
            return;
        };
        self.update(&verdict, sent);
        self.size = self.next_size();
        self.grants.retain(|grant| grant.left > 0);
        self.grants.push(grant);
    }

    /// Removes grants that have ended or are used up, and returns those with something left.
    pub(super) fn end_grants(&mut self, now: Micros) -> SmallVec<[Grant; 2]> {
        let mut ended = SmallVec::new();
        self.grants.retain(|grant| {
            let is_over = grant.until <= now;
            if is_over && grant.left > 0 {
                ended.push(*grant);
            }
            !is_over && grant.left > 0
        });
        if !ended.is_empty() {
            // The last lease was too large, so the next one is smaller.
            self.size = (self.size / 2).max(FIRST);
        }
        ended
    }

    /// Removes all grants, and returns those with something left.
    pub(super) fn take_all(&mut self) -> SmallVec<[Grant; 2]> {
        let mut grants = std::mem::take(&mut self.grants);
        grants.retain(|grant| grant.left > 0);
        grants
    }

    /// Returns when the next grant ends.
    pub(super) fn next_end(&self) -> Option<Micros> {
        self.grants.iter().map(|grant| grant.until).min()
    }

    /// Returns the size of the next lease: twice the last one if that is used up before its end.
    fn next_size(&self) -> u32 {
        let size = if self.grants.is_empty() {
            self.size
        } else {
            self.size.saturating_mul(2)
        };
        size.min(self.owner.limit.lease_size())
    }

    fn left(&self, now: Micros) -> u32 {
        let live = self.grants.iter().filter(|grant| now < grant.until);
        live.map(|grant| grant.left).sum()
    }

    fn update(&mut self, verdict: &Verdict, sent: Micros) {
        self.remaining = verdict.remaining;
        self.reset_at = sent.saturating_add(verdict.reset);
        self.more_at = sent.saturating_add(verdict.more);
    }

    fn verdict(&mut self, now: Micros) -> Verdict {
        let reset = self.reset_at.saturating_sub(now);
        let more = self.more_at.saturating_sub(now).clamp(reset.min(1), reset);
        Verdict {
            wait: Wait::None,
            blocked: false,
            remaining: self.show(now),
            reset,
            more,
        }
    }

    /// Returns what remains, as counted with the knowledge of this process alone. Within a fixed
    /// window the figure never grows, although other processes may have returned leases.
    fn show(&mut self, now: Micros) -> u32 {
        let remaining = self.remaining.saturating_add(self.left(now));
        if self.owner.limit.algorithm_value() != Algorithm::FixedWindow {
            return remaining;
        }
        if now >= self.shown_until {
            self.shown_until = self.reset_at;
            self.shown = remaining;
        }
        self.shown = self.shown.min(remaining);
        self.shown
    }
}
