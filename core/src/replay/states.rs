//! The states of a replay: hash maps without locks and without a bound on keys.

use std::{collections::HashMap, convert::Infallible};

use smallvec::SmallVec;

use crate::{
    algorithm::{PermitTable, State},
    check::{Charge, Check, Mode, Outcome},
    decide::{Block, ChargeStates, StateEntry, States, Usage, decide, decide_charge},
    key::{Key, Naming},
    time::Micros,
};

/// The number of states up to which dropping the expired ones is not worthwhile.
const FEW: usize = 1024;

/// States in hash maps, by the text of their keys.
///
/// An expired state is absent, and is dropped once there are twice as many states as were left the
/// last time. So memory is bounded by the states that matter at one time. If the time steps back to
/// before a state expired, it depends on chance whether the state is still there, as it does in the
/// in-memory store.
#[derive(Debug, Default)]
pub struct HashStates {
    counters: HashMap<String, Stored<State>>,
    permits: HashMap<String, Stored<PermitTable>>,
    blocks: HashMap<String, Block>,
    /// The number of states that were left when expired ones were last dropped.
    left: usize,
}

#[derive(Debug)]
struct Stored<T> {
    state: T,
    expires: Micros,
}

impl HashStates {
    /// Decides any check at the time `now`, in any mode.
    pub fn decide(&mut self, check: &Check<'_>, now: Micros) -> Outcome {
        let naming = Naming {
            // The texts do not leave this process, so identities need no hashing.
            plain: true,
            ..Naming::default()
        };
        let charges = check.charges.iter();
        let mut states = CheckStates {
            keys: charges.map(|charge| charge.key.text(&naming)).collect(),
            naming,
            states: self,
        };
        // The in-memory store takes the single step too, after which a denied permit's table may
        // expire at another time than after the two steps.
        let Ok(outcome) = match (check.mode, check.charges.as_slice()) {
            (Mode::Charge, [charge]) => {
                decide_charge(charge, &mut states.of_charge(0, charge), now)
            }
            _ => decide(check, &mut states, now),
        };
        outcome
    }

    /// Drops all states that have expired by `now`.
    pub fn drop_expired(&mut self, now: Micros) {
        self.counters.retain(|_, stored| stored.expires > now);
        self.permits.retain(|_, stored| stored.expires > now);
        self.blocks.retain(|_, block| block.kept_until > now);
        self.left = self.len();
    }

    /// Returns the number of states, with expired ones that are not dropped yet.
    #[must_use]
    pub fn len(&self) -> usize {
        self.counters.len() + self.permits.len() + self.blocks.len()
    }

    /// Returns whether there is no state.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The states of one check, with the text of each charge's key.
struct CheckStates<'a> {
    states: &'a mut HashStates,
    keys: SmallVec<[String; 1]>,
    naming: Naming,
}

/// The states of one charge.
struct KeyStates<'s> {
    states: &'s mut HashStates,
    text: &'s str,
    key: &'s Key<'s>,
    naming: &'s Naming,
}

impl States for CheckStates<'_> {
    type Full = Infallible;
    type Charge<'s>
        = KeyStates<'s>
    where
        Self: 's;

    fn of_charge<'s>(&'s mut self, index: usize, charge: &'s Charge<'_>) -> KeyStates<'s> {
        KeyStates {
            states: self.states,
            text: &self.keys[index],
            key: &charge.key,
            naming: &self.naming,
        }
    }

    fn reserve(&mut self, _check: &Check<'_>, _now: Micros) -> Result<(), Infallible> {
        Ok(())
    }
}

impl KeyStates<'_> {
    fn block_text(&self) -> String {
        self.key.block().text(self.naming)
    }
}

impl ChargeStates for KeyStates<'_> {
    type Full = Infallible;

    fn counter(&self, now: Micros) -> Option<&State> {
        let stored = self.states.counters.get(self.text)?;
        (stored.expires > now).then_some(&stored.state)
    }

    fn counter_mut(&mut self, now: Micros) -> Option<impl StateEntry<State>> {
        let stored = self.states.counters.get_mut(self.text)?;
        (stored.expires > now).then_some(stored)
    }

    fn insert_counter(
        &mut self,
        state: State,
        usage: Usage,
        _now: Micros,
    ) -> Result<(), Infallible> {
        let counters = &mut self.states.counters;
        counters.insert(self.text.to_owned(), Stored::new(state, usage));
        Ok(())
    }

    fn remove_counter(&mut self) {
        self.states.counters.remove(self.text);
    }

    fn has_permits(&self, now: Micros) -> bool {
        let stored = self.states.permits.get(self.text);
        stored.is_some_and(|stored| stored.expires > now)
    }

    fn permits_mut(&mut self, now: Micros) -> Option<impl StateEntry<PermitTable>> {
        let stored = self.states.permits.get_mut(self.text)?;
        (stored.expires > now).then_some(stored)
    }

    fn insert_permits(
        &mut self,
        permits: PermitTable,
        usage: Usage,
        _now: Micros,
    ) -> Result<(), Infallible> {
        let tables = &mut self.states.permits;
        tables.insert(self.text.to_owned(), Stored::new(permits, usage));
        Ok(())
    }

    fn remove_permits(&mut self) {
        self.states.permits.remove(self.text);
    }

    fn block(&self, now: Micros) -> Option<Block> {
        if self.states.blocks.is_empty() {
            return None;
        }
        let block = self.states.blocks.get(&self.block_text())?;
        (block.kept_until > now).then_some(*block)
    }

    fn set_block(&mut self, block: Block, _now: Micros) -> Result<(), Infallible> {
        self.states.blocks.insert(self.block_text(), block);
        Ok(())
    }

    fn tidy(&mut self, now: Micros) {
        if self.states.len() > 2 * self.states.left.max(FEW) {
            self.states.drop_expired(now);
        }
    }
}

impl<T> Stored<T> {
    fn new(state: T, usage: Usage) -> Self {
        Self {
            state,
            expires: usage.expires,
        }
    }
}

impl<T> StateEntry<T> for &mut Stored<T> {
    fn state(&mut self) -> &mut T {
        &mut self.state
    }

    fn set_usage(self, usage: Usage) {
        self.expires = usage.expires;
    }
}
