//! Checks, packed for one call of the script.

use smallvec::SmallVec;

#[cfg(feature = "cluster")]
use super::script::{BLOCKED_FOR, Repeat, push_block, random_mark};
use super::{
    key_table::KeyTable,
    limit_table::LimitTable,
    reply::ReplyLayout,
    script::{Call, CallContext, push},
};
use crate::{
    key::{Key, Naming},
    limit::LimitRef,
    store::interface::{Check, Mode},
};

/// The subject of a call of one key.
#[cfg(feature = "cluster")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum SingleKey {
    /// The counter, as if nobody were blocked.
    Counter,
    /// The block above it: a look at how long it lasts.
    Block,
}

/// A call in the making. Checks that are alike and follow each other are sent once, with their
/// number: under load most of them are.
#[derive(Debug)]
pub(super) struct CallBuilder {
    keys: KeyTable,
    limits: LimitTable,
    packed: Vec<u8>,
    /// Where each different check ends in `packed`.
    ends: Vec<usize>,
    /// Of each check, which of the different ones it is.
    checks: Vec<usize>,
    /// The one key that the call is to name, if it names one alone.
    #[cfg(feature = "cluster")]
    only: Option<SingleKey>,
    /// Whether it changes anything.
    #[cfg(feature = "cluster")]
    changes: bool,
    /// The name of this call, for a connection that may send it twice.
    #[cfg(feature = "cluster")]
    idempotency_key: Option<String>,
}

impl CallBuilder {
    pub(super) fn new(naming: &Naming) -> Self {
        Self {
            keys: KeyTable::new(naming),
            limits: LimitTable::default(),
            packed: Vec::with_capacity(64),
            ends: Vec::new(),
            checks: Vec::new(),
            #[cfg(feature = "cluster")]
            only: None,
            #[cfg(feature = "cluster")]
            changes: false,
            #[cfg(feature = "cluster")]
            idempotency_key: None,
        }
    }

    /// For checks of one charge each, all to one counter.
    #[cfg(feature = "cluster")]
    pub(super) fn of_one_key(naming: &Naming, only: SingleKey) -> Self {
        Self {
            only: Some(only),
            ..Self::new(naming)
        }
    }

    /// How many checks it holds.
    pub(super) fn len(&self) -> usize {
        self.checks.len()
    }

    /// How many keys they name.
    pub(super) fn keys(&self) -> usize {
        self.keys.len()
    }

    /// As `decide.lua` unpacks it: big-endian integers of fixed widths, one argument in all, which
    /// costs the server a fraction of what an argument a number does.
    ///
    /// A check must have a charge.
    pub(super) fn add(&mut self, check: &Check<'_>, terms: &CallContext<'_>) -> ReplyLayout {
        let start = self.packed.len();
        #[cfg(feature = "cluster")]
        if let (Some(SingleKey::Block), Some(charge)) = (self.only, check.charges.first()) {
            let place = self.keys.index_of(&charge.key.block(), terms.hasher);
            push_block(&mut self.packed, BLOCKED_FOR, place);
            self.dedupe(start, Mode::Peek);
            return ReplyLayout::of(check);
        }
        self.set_idempotency_key(check, terms);
        push(&mut self.packed, code_of(check.mode), 1);
        push(&mut self.packed, check.charges.len() as u64, 2);
        let mut used: SmallVec<[u64; 4]> = SmallVec::new();
        for (index, charge) in check.charges.iter().enumerate() {
            let (counter, block) = self.index_of(&charge.key, terms);
            let kind = self.limits.index_of(charge, &used);
            used.push(kind);
            let packed = &mut self.packed;
            push(packed, kind, 2);
            push(packed, counter, 3);
            push(packed, block, 3);
            if let LimitRef::Concurrency(_, permit_id) = charge.limit {
                push(packed, permit_id.0, 7);
            }
            if let Mode::Refund(receipts) = check.mode {
                // A time of 0: nothing was taken.
                let receipt = receipts.get(index).copied().flatten();
                let [at, remaining, mark, taken] = receipt.map_or([0; 4], |receipt| {
                    let [remaining, taken] = [receipt.remaining, receipt.taken].map(u64::from);
                    [receipt.at, remaining, receipt.tag, taken]
                });
                push(packed, at, 7);
                push(packed, remaining, 4);
                push(packed, mark, 7);
                push(packed, taken, 4);
            }
        }
        self.dedupe(start, check.mode);
        ReplyLayout::of(check)
    }

    /// The call, of those checks that `keep` keeps, by their places; `None` if those are none.
    pub(super) fn build(
        self,
        terms: &CallContext<'_>,
        keep: impl Fn(usize) -> bool,
    ) -> Option<Call> {
        let mut runs: SmallVec<[(usize, u64); 8]> = SmallVec::new();
        let kept = (0..).zip(&self.checks).filter(|(place, _)| keep(*place));
        for (_, kind) in kept {
            match runs.last_mut() {
                Some((last, count)) if last == kind => *count += 1,
                _ => runs.push((*kind, 1)),
            }
        }
        if runs.is_empty() {
            return None;
        }
        #[cfg(feature = "cluster")]
        let repeat = match &self.idempotency_key {
            Some(name) => Repeat::Key(name),
            None if self.changes => Repeat::Mark(random_mark()),
            None => Repeat::Harmless,
        };
        let mut call = Call::start(
            terms,
            self.keys,
            &self.limits,
            #[cfg(feature = "cluster")]
            repeat,
        );
        for (kind, count) in runs {
            let start = kind.checked_sub(1).map_or(0, |before| self.ends[before]);
            push(&mut call.packed, count, 2);
            call.packed
                .extend_from_slice(&self.packed[start..self.ends[kind]]);
        }
        Some(call)
    }

    /// The places of a counter and of the block above it; 0 is no block.
    fn index_of(&mut self, counter: &Key<'_>, terms: &CallContext<'_>) -> (u64, u64) {
        #[cfg(feature = "cluster")]
        if self.only.is_some() {
            return (self.keys.index_of(counter, terms.hasher), 0);
        }
        self.keys.counter_and_block(counter, terms.hasher)
    }

    /// Keeps what was packed from `start` on, unless the check before says the same.
    fn dedupe(&mut self, start: usize, mode: Mode<'_>) {
        let before = self.ends.len().checked_sub(2).map_or(0, |at| self.ends[at]);
        let is_new = !matches!(mode, Mode::Charge | Mode::Peek)
            || self.packed[before..start] != self.packed[start..];
        if is_new {
            self.ends.push(self.packed.len());
        } else {
            self.packed.truncate(start);
        }
        self.checks.push(self.ends.len() - 1);
    }

    /// Gives the call its name if it may not be carried out twice.
    #[cfg(feature = "cluster")]
    fn set_idempotency_key(&mut self, check: &Check<'_>, terms: &CallContext<'_>) {
        self.changes |= check.mode != Mode::Peek;
        if self.changes
            && self.idempotency_key.is_none()
            && terms.once.is_some()
            && self.only.is_none()
            && let Some(charge) = check.charges.first()
        {
            let name = charge.key.idempotency_key(terms.naming, fastrand::u64(..));
            self.idempotency_key = Some(name);
        }
    }

    #[cfg(not(feature = "cluster"))]
    #[expect(clippy::unused_self)]
    fn name(&self, _: &Check<'_>, _: &CallContext<'_>) {}
}

fn code_of(mode: Mode<'_>) -> u64 {
    match mode {
        Mode::Peek => 0,
        Mode::Charge => 1,
        // 2 is a block.
        Mode::ChargeForReceipts => 3,
        Mode::Refund(_) => 4,
        Mode::Lease => 5,
        Mode::Renew => 6,
    }
}
