use crate::{
    algorithm::{Receipt, State, Wait},
    clock::Micros,
    decision::Verdict,
    store::{
        interface::Charge,
        table::{Print, Table},
    },
};

/// How many slots each charge looks at for expired ones. More than one, or the sweep would lag
/// behind the keys that come in.
const SWEEP: usize = 4;

/// A part of the keys, behind one lock.
#[derive(Debug)]
pub(super) struct Shard {
    table: Table<Content>,
    /// How many of the contents are blocks: with none, nobody need be asked for.
    blocks: usize,
}

#[derive(Debug)]
enum Content {
    Counter(State),
    Block(Block),
}

/// An identity is blocked in a zone from `start` on.
#[derive(Clone, Copy, Debug)]
struct Block {
    start: Micros,
    until: Micros,
}

impl Shard {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            table: Table::new(capacity),
            blocks: 0,
        }
    }

    /// How a charge stands, without taking anything. `block` is asked for only if there is any.
    pub(super) fn look(
        &self,
        charge: &Charge<'_>,
        counter: Print,
        block: impl FnOnce() -> Print,
        now: Micros,
    ) -> Verdict {
        let mut verdict = match self.table.find(counter, now) {
            Some(Content::Counter(state)) => verdict(state, charge, now),
            _ => verdict(&State::empty(charge.limit), charge, now),
        };
        if self.blocks > 0
            && let Some(Content::Block(block)) = self.table.find(block(), now)
        {
            // A block from the future (the clock has stepped back) counts for nothing.
            if block.start <= now && now < block.until {
                verdict.block_for(block.until - now);
            }
        }
        verdict
    }

    /// Takes what a charge asks for, which must fit.
    pub(super) fn charge(&mut self, charge: &Charge<'_>, counter: Print, now: Micros) -> Verdict {
        let limit = charge.limit;
        let mut removed_blocks = 0;
        let content = self.table.find_or_insert(
            counter,
            now,
            || Content::Counter(State::empty(limit)),
            |content| removed_blocks += usize::from(content.is_block()),
        );
        let (verdict, expires) = match content.value() {
            Content::Counter(state) => {
                state.charge(limit, charge.cost, now);
                let quota = state.quota(limit, now);
                let verdict = Verdict {
                    wait: Wait::Fits,
                    blocked: false,
                    remaining: quota.remaining,
                    reset: quota.reset,
                };
                (verdict, expiry(quota.reset, now))
            }
            // Counters and blocks never share a print.
            Content::Block(block) => (verdict(&State::empty(limit), charge, now), block.until),
        };
        content.set_expiry(expires);
        self.blocks -= removed_blocks;
        self.sweep(now);
        verdict
    }

    /// The mark of a charge made a moment ago, at the same `now`.
    pub(super) fn mark(&self, counter: Print, now: Micros) -> Option<u64> {
        match self.table.find(counter, now)? {
            Content::Counter(state) => Some(state.mark(now)),
            Content::Block(_) => None,
        }
    }

    /// Gives back what is left of a charge. What is not there, or has expired, stays so.
    pub(super) fn refund(
        &mut self,
        charge: &Charge<'_>,
        receipt: &Receipt,
        counter: Print,
        now: Micros,
    ) {
        let Some(slot) = self.table.find_mut(counter, now) else {
            return;
        };
        let Content::Counter(state) = slot.value() else {
            return;
        };
        if !state.refund(charge.limit, charge.cost, receipt, now) {
            return;
        }
        match state.quota(charge.limit, now).reset {
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

    fn sweep(&mut self, now: Micros) {
        let mut removed_blocks = 0;
        self.table.sweep(SWEEP, now, |content| {
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

/// One microsecond more: the leaky bucket carries what drained within the last one.
fn expiry(reset: Micros, now: Micros) -> Micros {
    now.saturating_add(reset).saturating_add(1)
}

fn verdict(state: &State, charge: &Charge<'_>, now: Micros) -> Verdict {
    let quota = state.quota(charge.limit, now);
    Verdict {
        wait: state.wait(charge.limit, charge.cost, now),
        blocked: false,
        remaining: quota.remaining,
        reset: quota.reset,
    }
}
