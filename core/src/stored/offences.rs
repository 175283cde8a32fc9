//! The offences that a block remembers, for the people who look at it.

use crate::{decide::Block, time::Micros};

/// The offences that a block remembers, during the block and after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredOffences {
    /// The number of offences, at least 1.
    pub count: u8,
    /// The number of lengths that the limit of the latest offence has.
    pub steps: u8,
    /// The length of the block that the next offence starts under that limit.
    pub next: Micros,
    /// The time until the offences are forgotten, unless another one comes before.
    pub left: Micros,
}

impl StoredOffences {
    /// Returns the offences of a block; `None` if it has none, or if they are forgotten.
    #[must_use]
    pub fn of(block: &Block, now: Micros) -> Option<Self> {
        (block.offences > 0 && block.is_remembered(now)).then(|| Self {
            count: block.offences,
            steps: block.steps,
            next: block.next,
            left: block.kept_until - now,
        })
    }

    /// Returns the step that the latest offence has come to, from 1.
    #[must_use]
    pub fn step(&self) -> u8 {
        self.count.min(self.steps)
    }

    /// See [`offences_in_words`].
    #[must_use]
    pub fn in_words(&self) -> String {
        offences_in_words(self.count.into(), self.steps.into())
    }
}

/// Returns a number of offences in words, under a limit with so many lengths of blocks:
/// `offence 2 of 3`, or `offence 7, at step 3 of 3` once the last length is repeated.
#[must_use]
pub fn offences_in_words(count: u32, steps: u32) -> String {
    if count <= steps {
        format!("offence {count} of {steps}")
    } else {
        format!("offence {count}, at step {steps} of {steps}")
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{limit::Limit, stored::EntryState};

    const SECOND: Micros = 1_000_000;
    const LIMIT: Limit = Limit::per_second(1).block_steps(&[
        Duration::from_secs(1),
        Duration::from_secs(10),
        Duration::from_secs(100),
    ]);

    #[test]
    fn offences_are_shown_during_the_block_and_after_it() {
        let first = Block::of_offence(None, &LIMIT, SECOND);
        let block = Block::of_offence(Some(first), &LIMIT, 2 * SECOND);
        let offences = |left| StoredOffences {
            count: 2,
            steps: 3,
            next: 100 * SECOND,
            left,
        };
        let at = |now| EntryState::of_block(&block, now * SECOND);
        assert_eq!(
            at(3),
            Some(EntryState::Blocked {
                left: 9 * SECOND,
                offences: Some(offences(109 * SECOND)),
            })
        );
        assert_eq!(at(12), Some(EntryState::BlockEnded(offences(100 * SECOND))));
        assert_eq!(at(112), None, "they are forgotten");
        assert_eq!(at(1), None, "the clock has stepped back");
    }

    #[test]
    fn block_without_offences_is_shown_while_it_lasts() {
        let block = Block::keep_offences(None, SECOND, SECOND);
        let state = EntryState::of_block(&block, SECOND);
        let (left, offences) = (SECOND, None);
        assert_eq!(state, Some(EntryState::Blocked { left, offences }));
        assert_eq!(EntryState::of_block(&block, 2 * SECOND), None);
    }

    #[test]
    fn words_tell_the_step() {
        assert_eq!(offences_in_words(2, 3), "offence 2 of 3");
        assert_eq!(offences_in_words(3, 3), "offence 3 of 3");
        assert_eq!(offences_in_words(7, 3), "offence 7, at step 3 of 3");
    }
}
