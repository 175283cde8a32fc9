//! What one process has leased of one counter.

use std::sync::Arc;

use smallvec::SmallVec;
use tokio::task::AbortHandle;

use crate::{
    algorithm::{Receipt, Wait},
    clock::Micros,
    decision::Verdict,
    failure_mode::FailureMode,
    identity::Identity,
    key::{Key, KeyKind},
    limit::{Algorithm, Limit},
    store::interface::Charge,
};

/// The longest that a lease is held.
const LONGEST: Micros = 1_000_000;
/// The first lease of an identity. Each that is used up is followed by one twice as large.
const FIRST: u32 = 2;

/// Whose counter it is, for what is done apart from requests.
#[derive(Debug)]
pub(super) struct LeaseKey {
    pub(super) identity: Identity,
    pub(super) limit: Limit,
}

impl LeaseKey {
    pub(super) fn charge(&self, cost: u32) -> Charge<'_> {
        Charge {
            key: Key::counter(&self.identity, &self.limit),
            limit: (&self.limit).into(),
            cost,
            // Nobody waits for it.
            failure_mode: FailureMode::Open,
        }
    }

    /// For how long a lease is held: a tenth of the window, at most a second.
    pub(super) fn lifetime(&self) -> Micros {
        (self.limit.window_micros() / 10).min(LONGEST)
    }
}

/// The account of one counter.
#[derive(Debug)]
pub(super) struct Account {
    /// Tells it from another of the same counter, before or after it.
    pub(super) number: u64,
    /// Which counter of its zone it is.
    pub(super) slot: KeyKind,
    pub(super) owner: Arc<LeaseKey>,
    /// Oldest first.
    grants: SmallVec<[Grant; 2]>,
    /// What the last lease asked for, or less if it was not used up.
    size: u32,
    /// What asks for a lease, and what watches over the grants' ends. Both end with their runtime.
    pub(super) renewal: Option<AbortHandle>,
    pub(super) watcher: Option<AbortHandle>,
    /// When the store was last asked, by whomever.
    asked: Micros,
    /// No lease is asked for until then: the last one was empty.
    pause_until: Micros,
    /// The store's latest answer, apart from what is leased here: what remains, when all is back,
    /// and when more is.
    remaining: u32,
    reset_at: Micros,
    more_at: Micros,
    /// What was shown last of a fixed window, and until when that window lasts.
    shown: u32,
    shown_until: Micros,
}

/// A part of the quota that is served here.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grant {
    pub(super) left: u32,
    pub(super) receipt: Receipt,
    pub(super) until: Micros,
}

/// One admission out of a grant.
#[derive(Clone, Copy, Debug)]
pub(super) struct LocalCharge {
    pub(super) number: u64,
    pub(super) receipt: Receipt,
    pub(super) verdict: Verdict,
}

impl Account {
    pub(super) fn new(number: u64, slot: KeyKind, owner: LeaseKey) -> Self {
        Self {
            number,
            slot,
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

    /// Whether what is leased was leased under these numbers.
    pub(super) fn is_of(&self, limit: &Limit) -> bool {
        let own = &self.owner.limit;
        (own.times(), own.quota(), own.lease_size())
            == (limit.times(), limit.quota(), limit.lease_size())
    }

    /// Takes `cost` out of one grant that has not ended.
    pub(super) fn take(&mut self, cost: u32, now: Micros) -> Option<LocalCharge> {
        let mut grants = self.grants.iter_mut();
        let grant = grants.find(|grant| grant.left >= cost && now < grant.until)?;
        grant.left -= cost;
        let receipt = Receipt {
            taken: cost,
            // As if it had been charged when all of the grant was, after those served before it:
            // what is still left of the grant would have been charged later.
            remaining: grant.receipt.remaining.saturating_add(grant.left),
            ..grant.receipt
        };
        Some(LocalCharge {
            number: self.number,
            receipt,
            verdict: self.verdict(now),
        })
    }

    /// How it stands for a cost that fits, without taking anything.
    pub(super) fn peek(&mut self, cost: u32, now: Micros) -> Option<Verdict> {
        let fits = |grant: &Grant| grant.left >= cost && now < grant.until;
        let fits = self.grants.iter().any(fits);
        fits.then(|| self.verdict(now))
    }

    /// Puts back what was taken in vain; false if its grant is there no more.
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

    /// The store has decided a request: what it said, with what is leased here on top.
    pub(super) fn learn(&mut self, verdict: &Verdict, sent: Micros, now: Micros) -> Verdict {
        self.asked = now;
        self.update(verdict, sent);
        let shown = self.verdict(now);
        match verdict.blocked {
            true => *verdict,
            false => Verdict {
                remaining: shown.remaining,
                ..*verdict
            },
        }
    }

    /// The store has been given back so much of what was served here.
    pub(super) fn refunded(&mut self, taken: u32) {
        self.shown = self.shown.saturating_add(taken);
    }

    /// Whether somebody gives back what is left when a grant ends.
    pub(super) fn is_watched(&self) -> bool {
        self.watcher
            .as_ref()
            .is_some_and(|task| !task.is_finished())
    }

    /// When it may be closed: `idle` lifetimes of a lease from now, or with what it still knows.
    pub(super) fn keep_until(&self, now: Micros, idle: u64) -> Micros {
        let idle = now.saturating_add(self.owner.lifetime().saturating_mul(idle));
        let grants = self.grants.iter().map(|grant| grant.until).max();
        idle.max(self.shown_until)
            .max(grants.unwrap_or(0))
            .saturating_add(1)
    }

    /// How much to lease now, if anything. Asked when a request was admitted.
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

    /// What has come of that wish.
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

    /// Takes out what has ended, and what is used up.
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
            // More than was wanted: the next is to be smaller.
            self.size = (self.size / 2).max(FIRST);
        }
        ended
    }

    /// Takes out everything that is left.
    pub(super) fn take_all(&mut self) -> SmallVec<[Grant; 2]> {
        let mut grants = std::mem::take(&mut self.grants);
        grants.retain(|grant| grant.left > 0);
        grants
    }

    /// When the next grant ends.
    pub(super) fn next_end(&self) -> Option<Micros> {
        self.grants.iter().map(|grant| grant.until).min()
    }

    /// What the next lease is to hold: twice as much, if the last one is used up before its end.
    fn next_size(&self) -> u32 {
        let size = match self.grants.is_empty() {
            true => self.size,
            false => self.size.saturating_mul(2),
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

    /// What remains, as one who knows of this process alone would count it. In a fixed window it
    /// never grows: others may have given back what they had leased.
    fn show(&mut self, now: Micros) -> u32 {
        let remaining = self.remaining.saturating_add(self.left(now));
        if self.owner.limit.kind() != Algorithm::FixedWindow {
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
