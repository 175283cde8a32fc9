//! The call builder packs checks for one call of the script. The batch queue fills a builder while
//! a call is in flight. The builder sends nothing.

use actix_throttle_core::{
    check::{Check, Mode},
    key::{Key, Naming},
    limit::LimitRef,
    stored::bytes::push,
};
use smallvec::SmallVec;

#[cfg(feature = "cluster")]
use super::script::{BLOCKED_FOR, Repeat, push_block, random_mark};
use super::{
    encode::push_settlement,
    key_table::KeyTable,
    limit_table::LimitTable,
    plain::builder::PlainBuilder,
    reply::ReplyLayout,
    script::{Call, CallContext},
};

/// The key that a call about a single key names.
#[cfg(feature = "cluster")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum SingleKey {
    /// The counter: the call decides as if the identity were not blocked.
    Counter,
    /// The block above the counter: the call reads how long it lasts.
    Block,
}

/// A call under construction. Equal checks that follow each other are packed once, with their count
/// (run-length encoding): under load most checks are equal.
#[derive(Debug)]
pub(super) struct CallBuilder {
    keys: KeyTable,
    limits: LimitTable,
    packed: Vec<u8>,
    /// The end of each distinct check in `packed`.
    ends: Vec<usize>,
    /// The index in `ends` of the packed form of each check.
    checks: Vec<usize>,
    /// The single key that the call names, if it may name only one.
    #[cfg(feature = "cluster")]
    only: Option<SingleKey>,
    /// Whether the call changes anything in Redis.
    #[cfg(feature = "cluster")]
    changes: bool,
    /// The idempotency key of the call, for a cluster client that may send the call twice.
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

    /// A builder for checks of one charge each, all of one counter.
    #[cfg(feature = "cluster")]
    pub(super) fn of_one_key(naming: &Naming, only: SingleKey) -> Self {
        Self {
            only: Some(only),
            ..Self::new(naming)
        }
    }

    /// The number of checks.
    pub(super) fn len(&self) -> usize {
        self.checks.len()
    }

    /// The number of keys that the checks name.
    pub(super) fn keys(&self) -> usize {
        self.keys.len()
    }

    /// Whether the call names a key of an identity and zone of this check.
    pub(super) fn concerns(&self, check: &Check<'_>, context: &CallContext<'_>) -> bool {
        let mut charges = check.charges.iter();
        charges.any(|charge| self.keys.has_of_zone(&charge.key, context.hasher))
    }

    /// Adds the checks that a plain call would decide.
    pub(super) fn add_plain(&mut self, plain: &PlainBuilder) {
        let adopted = self.keys.adopt(&plain.keys);
        let adopted_index = |key: u64| {
            let index = usize::try_from(key).unwrap_or(0).saturating_sub(1);
            adopted.get(index).copied().unwrap_or(0)
        };
        for charges in plain.checks.iter() {
            let start = self.packed.len();
            push(&mut self.packed, code_of(Mode::Charge), 1);
            push(&mut self.packed, charges.len() as u64, 2);
            let mut used: SmallVec<[u64; 4]> = SmallVec::new();
            for (key, limit, cost) in charges {
                // No limit of the calendar is among them, so the time does not matter.
                let kind = self.limits.index_of(limit.into(), cost, &used, || 0);
                used.push(kind);
                let counter = adopted_index(key);
                push(&mut self.packed, kind, 2);
                push(&mut self.packed, counter, 3);
                push(&mut self.packed, self.keys.block_of(counter), 3);
            }
            self.dedupe(start, Mode::Charge);
        }
        #[cfg(feature = "cluster")]
        if plain.checks.len() > 0 {
            self.changes = true;
            if self.idempotency_key.is_none() {
                self.idempotency_key.clone_from(&plain.idempotency_key);
            }
        }
    }

    /// Packs a check as `decide.lua` unpacks it: big-endian integers of fixed widths, in one
    /// argument for all checks. An argument per number would cost Redis several times as much.
    ///
    /// # Invariant
    ///
    /// A check has at least one charge.
    pub(super) fn add(&mut self, check: &Check<'_>, context: &CallContext<'_>) -> ReplyLayout {
        let start = self.packed.len();
        #[cfg(feature = "cluster")]
        if let (Some(SingleKey::Block), Some(charge)) = (self.only, check.charges.first()) {
            let index = self.keys.index_of(&charge.key.block(), context.hasher);
            push_block(&mut self.packed, BLOCKED_FOR, index);
            self.dedupe(start, Mode::Peek);
            return ReplyLayout::of(check);
        }
        self.set_idempotency_key(check, context);
        push(&mut self.packed, code_of(check.mode), 1);
        push(&mut self.packed, check.charges.len() as u64, 2);
        let mut used: SmallVec<[u64; 4]> = SmallVec::new();
        for (index, charge) in check.charges.iter().enumerate() {
            let (counter, block) = self.index_of(&charge.key, context);
            let kind = self
                .limits
                .index_of(charge.limit, charge.cost, &used, || context.expected_now());
            used.push(kind);
            let packed = &mut self.packed;
            push(packed, kind, 2);
            push(packed, counter, 3);
            push(packed, block, 3);
            if let LimitRef::Concurrency(_, permit_id) = charge.limit {
                push(packed, permit_id.0, 7);
            }
            if check.mode.is_settlement() {
                push_settlement(packed, check.mode.settlement(index));
            }
        }
        self.dedupe(start, check.mode);
        ReplyLayout::of(check)
    }

    /// The call of those checks whose index `keep` accepts; `None` if it accepts none.
    pub(super) fn build(
        self,
        context: &CallContext<'_>,
        keep: impl Fn(usize) -> bool,
    ) -> Option<Call> {
        let mut runs: SmallVec<[(usize, u64); 8]> = SmallVec::new();
        let kept = (0..).zip(&self.checks).filter(|(index, _)| keep(*index));
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
            context,
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

    /// A call of those checks whose index `keep` accepts, which may be none.
    pub(super) fn build_or_empty(
        self,
        context: &CallContext<'_>,
        keep: impl Fn(usize) -> bool,
    ) -> Call {
        self.build(context, keep).unwrap_or_else(|| {
            Call::start(
                context,
                KeyTable::new(context.naming),
                &LimitTable::default(),
                #[cfg(feature = "cluster")]
                Repeat::Harmless,
            )
        })
    }

    /// The indices of a counter and of the block above it; 0 stands for no block.
    fn index_of(&mut self, counter: &Key<'_>, context: &CallContext<'_>) -> (u64, u64) {
        #[cfg(feature = "cluster")]
        if self.only.is_some() {
            return (self.keys.index_of(counter, context.hasher), 0);
        }
        self.keys.counter_and_block(counter, context.hasher)
    }

    /// Ends the check that was packed from `start` on, and drops its bytes if the previous check is
    /// equal. Only checks with [`Mode::Charge`] or [`Mode::Peek`] are merged.
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

    /// Gives the call an idempotency key once a check changes something, if the call may be sent
    /// twice. A call of a single key has no room for one: it leaves a mark (`marks.lua`).
    #[cfg(feature = "cluster")]
    fn set_idempotency_key(&mut self, check: &Check<'_>, context: &CallContext<'_>) {
        self.changes |= check.mode != Mode::Peek;
        if self.changes
            && self.idempotency_key.is_none()
            && context.remember_for.is_some()
            && self.only.is_none()
            && let Some(charge) = check.charges.first()
        {
            let name = charge
                .key
                .idempotency_key(context.naming, fastrand::u64(..));
            self.idempotency_key = Some(name);
        }
    }

    #[cfg(not(feature = "cluster"))]
    #[expect(clippy::unused_self)]
    fn set_idempotency_key(&self, _: &Check<'_>, _: &CallContext<'_>) {}
}

fn code_of(mode: Mode<'_>) -> u64 {
    match mode {
        Mode::Peek => 0,
        Mode::Charge => 1,
        // The code 2 is `BLOCK`, which is no mode of a check.
        Mode::ChargeForReceipts => 3,
        // A refund is a settlement at nothing.
        Mode::Refund(_) | Mode::Settle(_) => 4,
        Mode::Lease => 5,
        Mode::Renew => 6,
        // The codes 7 and 8 are about blocks, as 2 is.
        Mode::Force => 9,
    }
}
