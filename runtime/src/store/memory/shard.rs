use std::mem;

use crate::{
    algorithm::{Holders, IDLE, Receipt, State, Wait},
    clock::Micros,
    decision::Verdict,
    limit::{Bound, Holder},
    store::{
        interface::Charge,
        table::{Print, Table},
    },
};

/// How many entries are looked at for expired ones by each charge. More than one, or the sweep would
/// lag behind the keys that come in.
const SWEEP: usize = 2;
/// For so many charges together: the entries stand side by side, and to get there is what costs.
const SWEEP_EVERY: u8 = 8;

/// A part of the keys, behind one lock.
#[derive(Debug)]
pub(super) struct Shard {
    pub(super) table: Table<Content>,
    /// How many of the contents are blocks: with none, nobody need be asked for.
    blocks: usize,
    /// How many charges there were since the last sweep.
    unswept: u8,
}

#[derive(Debug)]
pub(super) enum Content {
    Counter(State),
    /// Boxed, like all that is larger than a few words.
    Holders(Box<Holders>),
    Block(Block),
}

/// An identity is blocked in a zone from `start` on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Block {
    start: Micros,
    until: Micros,
}

impl Shard {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            table: Table::new(capacity),
            blocks: 0,
            unswept: 0,
        }
    }

    /// Takes what a charge asks for if there is room, and says whether the request may go on.
    /// `block` is asked for only if there is any.
    pub(super) fn decide(
        &mut self,
        charge: &Charge<'_>,
        counter: Print,
        block: impl Fn() -> Print,
        now: Micros,
    ) -> (bool, Verdict) {
        let mut verdict = match self.blocked_for(&block, now) {
            None => self.take(charge, counter, now),
            Some(_) => self.look(charge, counter, &block, now),
        };
        let allowed = verdict.wait == Wait::Fits || charge.limit.is_shadow();
        if charge.starts_block(&verdict, allowed) {
            let length = charge.limit.block_micros();
            self.block(block(), length, now);
            verdict.block_for(length);
        }
        (allowed, verdict)
    }

    /// How a charge stands, without taking anything. `block` is asked for only if there is any.
    pub(super) fn look(
        &mut self,
        charge: &Charge<'_>,
        counter: Print,
        block: impl FnOnce() -> Print,
        now: Micros,
    ) -> Verdict {
        let mut verdict = self.look_at_counter(charge, counter, now);
        if let Some(length) = self.blocked_for(block, now) {
            verdict.block_for(length);
        }
        verdict
    }

    /// The same, whatever is blocked.
    pub(super) fn look_at_counter(
        &mut self,
        charge: &Charge<'_>,
        counter: Print,
        now: Micros,
    ) -> Verdict {
        let cost = charge.cost;
        let (wait, quota) = match charge.limit {
            Bound::Running(limit, holder) => self.look_at_holders(limit, holder, counter, now),
            Bound::Rate(limit) => match self.table.find(counter, now) {
                Some(Content::Counter(state)) => state.look(limit, cost, now),
                _ => State::empty(limit).look(limit, cost, now),
            },
        };
        Verdict::new(wait, quota)
    }

    /// For how much longer there is a block.
    fn blocked_for(&self, block: impl FnOnce() -> Print, now: Micros) -> Option<Micros> {
        if self.blocks == 0 {
            return None;
        }
        match self.table.find(block(), now)? {
            // A block from the future (the clock has stepped back) counts for nothing.
            Content::Block(block) if block.start <= now && now < block.until => {
                Some(block.until - now)
            }
            _ => None,
        }
    }

    /// Takes what a charge asks for, if it fits: blocks are not asked.
    pub(super) fn take(&mut self, charge: &Charge<'_>, counter: Print, now: Micros) -> Verdict {
        let cost = charge.cost;
        let limit = match charge.limit {
            Bound::Rate(limit) => limit,
            Bound::Running(limit, holder) => return self.hold(limit, holder, counter, now),
        };
        let is_taken = |wait| wait == Wait::Fits && cost > 0;
        if let Some(slot) = self.table.find_mut(counter, now)
            && let Content::Counter(state) = slot.value()
        {
            let (wait, quota) = state.take(limit, cost, now);
            if is_taken(wait) {
                slot.set_expiry(expiry(quota.reset, now));
                self.sweep(now);
            }
            return Verdict::new(wait, quota);
        }
        let mut state = State::empty(limit);
        let (wait, quota) = state.take(limit, cost, now);
        if is_taken(wait) {
            self.start(
                counter,
                Content::Counter(state),
                expiry(quota.reset, now),
                now,
            );
        }
        Verdict::new(wait, quota)
    }

    /// Keeps the state of a key that is not there, or has expired: out of the way of those that are.
    #[inline(never)]
    pub(super) fn start(&mut self, counter: Print, content: Content, expires: Micros, now: Micros) {
        let mut removed_blocks = 0;
        let slot = self.table.find_or_insert(
            counter,
            now,
            || content,
            |content| removed_blocks += usize::from(content.is_block()),
        );
        slot.set_expiry(expires);
        self.blocks -= removed_blocks;
        self.sweep(now);
    }

    /// The receipt of a charge made a moment ago, at the same `now`.
    pub(super) fn receipt(
        &self,
        charge: &Charge<'_>,
        counter: Print,
        verdict: &Verdict,
        now: Micros,
    ) -> Option<Receipt> {
        let mark = match (self.table.find(counter, now)?, charge.limit) {
            (Content::Counter(state), Bound::Rate(limit)) => state.mark(limit, now),
            (Content::Holders(_), Bound::Running(_, holder)) => holder.0,
            _ => return None,
        };
        Some(Receipt {
            at: now,
            taken: charge.cost,
            remaining: verdict.remaining,
            mark,
        })
    }

    /// Gives back what is left of a charge. What is not there, or has expired, stays so.
    pub(super) fn refund(
        &mut self,
        charge: &Charge<'_>,
        receipt: &Receipt,
        counter: Print,
        now: Micros,
    ) {
        let limit = match charge.limit {
            Bound::Rate(limit) => limit,
            Bound::Running(..) => return self.release(counter, Holder(receipt.mark), now),
        };
        let Some(slot) = self.table.find_mut(counter, now) else {
            return;
        };
        let Content::Counter(state) = slot.value() else {
            return;
        };
        if !state.refund(limit, receipt.taken, receipt, now) {
            return;
        }
        match state.look(limit, 0, now).1.reset {
            0 => drop(self.table.remove(counter)),
            reset => slot.set_expiry(expiry(reset, now)),
        }
    }

    pub(super) fn block(&mut self, print: Print, length: Micros, now: Micros) {
        let until = now.saturating_add(length);
        let block = Block { start: now, until };
        let mut removed_blocks = 0;
        let mut made = 0;
        let content = self.table.find_or_insert(
            print,
            now,
            || {
                made = 1;
                Content::Block(block)
            },
            |content| removed_blocks += usize::from(content.is_block()),
        );
        *content.value() = Content::Block(block);
        content.set_expiry(until);
        self.blocks = self.blocks + made - removed_blocks;
        self.sweep(now);
    }

    pub(super) fn forget(&mut self, print: Print) {
        if let Some(Content::Block(_)) = self.table.remove(print) {
            self.blocks -= 1;
        }
    }

    pub(super) fn sweep(&mut self, now: Micros) {
        self.unswept += 1;
        if self.unswept < SWEEP_EVERY {
            return;
        }
        let count = SWEEP * usize::from(mem::take(&mut self.unswept));
        let mut removed_blocks = 0;
        self.table.sweep(count, now, |content| {
            removed_blocks += usize::from(content.is_block());
        });
        self.blocks -= removed_blocks;
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.table.len()
    }
}

impl Content {
    fn is_block(&self) -> bool {
        matches!(self, Self::Block(_))
    }
}

/// Beyond the reset by as much as a charge that has waited for its turn asks for, and by the
/// microsecond within which the leaky bucket carries what has drained.
pub(super) fn expiry(reset: Micros, now: Micros) -> Micros {
    now.saturating_add(reset).saturating_add(IDLE + 1)
}
