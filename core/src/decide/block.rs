//! The block of an identity in a zone. Its twin is in `rare.lua`.

use std::time::Duration;

use crate::{
    limit::Limit,
    time::{Micros, to_micros},
};

/// Which of two blocks of an identity in a zone is in force: the one that is known, or a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precedence {
    /// The new one, because a block by hand may also be shorter than the one before.
    Latest,
    /// The one that ends later, because a pause shortens nothing that is in force.
    Longest,
}

/// A block of an identity in a zone, from `start` to `until`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    pub start: Micros,
    pub until: Micros,
    /// The offences in a row, this one included, if a limit counts them.
    pub offences: u8,
    /// The number of lengths that the limit of the latest offence has; 0 without offences.
    pub steps: u8,
    /// The length of the block that the next offence starts under that limit; 0 without offences.
    pub next: Micros,
    /// The end of the time for which the block is kept, because of its offences.
    pub kept_until: Micros,
}

impl Block {
    /// Returns the block that `limit` starts at `now`, after the one that is `known`.
    ///
    /// A limit with [steps](Limit::steps) counts an offence, and remembers it for as long as its
    /// longest step after the end of the block. Two limits of one decision that start the block
    /// are one offence. A limit with one length counts none, and forgets none.
    #[must_use]
    pub fn of_offence(known: Option<Self>, limit: &Limit, now: Micros) -> Self {
        let Some(longest) = longest(limit.steps()) else {
            return Self::keep_offences(known, now, limit.block_micros());
        };
        let offences = match known.filter(|known| known.counts_for(longest, now)) {
            Some(known) if known.start == now && known.offences > 0 => known.offences,
            Some(known) => known.offences.saturating_add(1),
            None => 1,
        };
        Self::with_offences(offences, limit, limit.block_length(offences), now)
    }

    /// Returns the block of `length` that starts at `now`, after the one that is `known`; `None` if
    /// that one takes precedence.
    #[must_use]
    pub fn of_length(
        known: Option<Self>,
        precedence: Precedence,
        now: Micros,
        length: Micros,
    ) -> Option<Self> {
        let left = known.and_then(|known| known.left(now)).unwrap_or(0);
        let is_kept = precedence == Precedence::Longest && left >= length;
        (!is_kept).then(|| Self::keep_offences(known, now, length))
    }

    /// Returns a block by hand, or of a limit with one length, from `now` on.
    #[must_use]
    pub fn keep_offences(known: Option<Self>, now: Micros, length: Micros) -> Self {
        let until = now.saturating_add(length);
        let known = known.filter(|known| known.offences > 0 && known.is_remembered(now));
        Self {
            start: now,
            until,
            offences: known.map_or(0, |known| known.offences),
            steps: known.map_or(0, |known| known.steps),
            next: known.map_or(0, |known| known.next),
            kept_until: known.map_or(until, |known| known.kept_until.max(until)),
        }
    }

    /// Returns the block of another store, with `left` of it to go. That store knows the number of
    /// its offences; here it is the first one whose block can last that long.
    #[must_use]
    pub fn mirrored(known: Option<Self>, limit: &Limit, left: Micros, now: Micros) -> Self {
        let Some(longest) = longest(limit.steps()) else {
            return Self::keep_offences(known, now, left);
        };
        let known = known.filter(|known| known.counts_for(longest, now));
        let shorter = limit.steps().iter().filter(|step| to_micros(**step) < left);
        let least = u8::try_from(shorter.count() + 1).unwrap_or(u8::MAX);
        let offences = known.map_or(0, |known| known.offences).max(least);
        Self::with_offences(offences, limit, left, now)
    }

    /// Returns the time that is left of the block, if it is in force. A block that starts in the
    /// future (the clock has stepped back) is not.
    #[inline]
    #[must_use]
    pub fn left(&self, now: Micros) -> Option<Micros> {
        (self.start <= now && now < self.until).then(|| self.until - now)
    }

    /// Returns whether the block is over, and kept for its offences alone: it denies nothing.
    #[inline]
    #[must_use]
    pub fn is_over(&self, now: Micros) -> bool {
        self.until <= now
    }

    fn with_offences(offences: u8, limit: &Limit, length: Micros, now: Micros) -> Self {
        let until = now.saturating_add(length);
        Self {
            start: now,
            until,
            offences,
            // There are at most 16.
            steps: u8::try_from(limit.steps().len()).unwrap_or(u8::MAX),
            next: limit.block_length(offences.saturating_add(1)),
            kept_until: until.saturating_add(limit.longest_block()),
        }
    }

    /// Returns whether the offences count for a limit whose longest step this is.
    fn counts_for(&self, longest: Micros, now: Micros) -> bool {
        self.is_remembered(now) && now < self.until.saturating_add(longest)
    }

    /// Returns whether the offences are remembered, if there are any. Those of a block that starts
    /// in the future (the clock has stepped back) are not.
    #[must_use]
    pub fn is_remembered(&self, now: Micros) -> bool {
        self.start <= now && now < self.kept_until
    }
}

/// Returns the longest step, if there are any.
fn longest(steps: &[Duration]) -> Option<Micros> {
    steps.last().copied().map(to_micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Micros = 1_000_000;
    const LIMIT: Limit = Limit::per_second(1).block_steps(&[
        Duration::from_secs(1),
        Duration::from_secs(10),
        Duration::from_secs(100),
    ]);

    /// Returns the length of a block, and for how long its offences are remembered after it.
    fn lengths(block: &Block) -> (Micros, Micros) {
        (
            (block.until - block.start) / SECOND,
            (block.kept_until - block.until) / SECOND,
        )
    }

    #[test]
    fn offences_are_counted_until_they_are_forgotten() {
        let mut known = None;
        let mut now = SECOND;
        for (length, next) in [(1, 10), (10, 100), (100, 100), (100, 100)] {
            let block = Block::of_offence(known, &LIMIT, now);
            assert_eq!(lengths(&block), (length, 100));
            assert_eq!((block.steps, block.next / SECOND), (3, next));
            now = block.kept_until - 1;
            known = Some(block);
        }
        let block = Block::of_offence(known, &LIMIT, now + 1);
        assert_eq!(lengths(&block), (1, 100));
        let future = Block::of_offence(known, &LIMIT, SECOND);
        assert_eq!(future.offences, 1, "the clock has stepped back");
    }

    #[test]
    fn the_count_ends_at_its_largest_number() {
        let known = Block {
            offences: u8::MAX,
            ..Block::of_offence(None, &LIMIT, SECOND)
        };
        let block = Block::of_offence(Some(known), &LIMIT, known.until);
        assert_eq!((lengths(&block), block.offences), ((100, 100), u8::MAX));
    }

    #[test]
    fn mirrored_block_takes_its_offence_from_its_length() {
        let now = 1_000 * SECOND;
        for (left, offences) in [(1, 1), (2, 2), (10, 2), (11, 3), (500, 4)] {
            let block = Block::mirrored(None, &LIMIT, left * SECOND, now);
            assert_eq!((lengths(&block), block.offences), ((left, 100), offences));
        }
        let block = Block::mirrored(None, &LIMIT, 10 * SECOND, now);
        // The block is mirrored once more, with less of it to go.
        let again = Block::mirrored(Some(block), &LIMIT, SECOND, now + 9 * SECOND);
        assert_eq!((again.offences, again.until), (2, block.until));
        let next = Block::of_offence(Some(again), &LIMIT, again.until);
        assert_eq!(lengths(&next), (100, 100));
        let plain = Limit::per_second(1).block(Duration::from_secs(5));
        assert_eq!(Block::mirrored(None, &plain, SECOND, now).offences, 0);
        assert_eq!(again.next, 100 * SECOND);
    }

    #[test]
    fn longest_block_takes_precedence_while_it_is_in_force() {
        let of_length = |known, precedence, now, length| {
            Block::of_length(known, precedence, now * SECOND, length * SECOND)
        };
        let known = of_length(None, Precedence::Longest, 10, 30);
        assert_eq!(known.map(|known| known.until), Some(40 * SECOND));
        for (now, length, longest) in [
            (10, 1, None),
            (20, 20, None),
            (20, 21, Some(41)),
            (39, 1, None),
            (40, 1, Some(41)),
            // The clock has stepped back, so the block counts no longer.
            (9, 1, Some(10)),
        ] {
            let until = |precedence| {
                let block = of_length(known, precedence, now, length);
                block.map(|block| block.until / SECOND)
            };
            assert_eq!(until(Precedence::Longest), longest, "{now} {length}");
            assert_eq!(until(Precedence::Latest), Some(now + length));
        }
    }

    #[test]
    fn block_by_hand_keeps_what_the_next_offence_does() {
        let offence = Block::of_offence(None, &LIMIT, SECOND);
        let by_hand = Block::keep_offences(Some(offence), 2 * SECOND, 7 * SECOND);
        assert_eq!((by_hand.offences, by_hand.steps), (1, 3));
        assert_eq!(by_hand.next, 10 * SECOND);
        assert_eq!(by_hand.kept_until, offence.kept_until);
        assert!(!by_hand.is_over(9 * SECOND - 1) && by_hand.is_over(9 * SECOND));
        let late = Block::keep_offences(Some(offence), offence.kept_until, SECOND);
        assert_eq!(late.offences, 0, "they are forgotten");
        let first = Block::keep_offences(None, SECOND, SECOND);
        assert_eq!((first.steps, first.next), (0, 0));
    }
}
