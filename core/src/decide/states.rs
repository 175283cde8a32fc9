//! The traits that a store of states implements, so that [`decide`](super::decide) can use it.

use super::block::Block;
use crate::{
    algorithm::{Availability, IDLE, PermitTable, State},
    check::{Charge, Check},
    limit::{Algorithm, Limit, LimitRef},
    time::Micros,
};

/// The states that the charges of one check read and write.
///
/// A store with locks holds them for the whole check, so that nothing is charged in between.
pub trait States {
    /// The error of a store without room for another state.
    type Full;
    type Charge<'s>: ChargeStates<Full = Self::Full>
    where
        Self: 's;

    /// Returns the states of the charge at `index` of the check.
    fn of_charge<'s>(&'s mut self, index: usize, charge: &'s Charge<'_>) -> Self::Charge<'s>;

    /// Checks that there is room for each state that the check will add
    /// ([`Charge::needs_room`]), because it is charged as a whole or not at all.
    ///
    /// # Errors
    ///
    /// If there is no room for them.
    fn reserve(&mut self, check: &Check<'_>, now: Micros) -> Result<(), Self::Full>;
}

/// The states of one charge: its counter or permits, and its identity's block in the zone.
///
/// A state that has expired by `now` is absent.
pub trait ChargeStates {
    /// The error of a store without room for another state.
    type Full;

    fn counter(&self, now: Micros) -> Option<&State>;
    fn counter_mut(&mut self, now: Micros) -> Option<impl StateEntry<State>>;
    /// Adds the counter, which is absent.
    ///
    /// # Errors
    ///
    /// If there is no room for it.
    fn insert_counter(&mut self, state: State, usage: Usage, now: Micros)
    -> Result<(), Self::Full>;
    fn remove_counter(&mut self);

    fn has_permits(&self, now: Micros) -> bool;
    fn permits_mut(&mut self, now: Micros) -> Option<impl StateEntry<PermitTable>>;
    /// Adds the table of permits, which is absent.
    ///
    /// # Errors
    ///
    /// If there is no room for it.
    fn insert_permits(
        &mut self,
        permits: PermitTable,
        usage: Usage,
        now: Micros,
    ) -> Result<(), Self::Full>;
    fn remove_permits(&mut self);

    /// Returns the block, also one that is over and whose offences are remembered.
    fn block(&self, now: Micros) -> Option<Block>;
    /// Adds the block, or replaces the one that is there.
    ///
    /// # Errors
    ///
    /// If there is no room for it.
    fn set_block(&mut self, block: Block, now: Micros) -> Result<(), Self::Full>;

    /// Runs after each charge that has written a state. A store drops expired states here.
    fn tidy(&mut self, now: Micros);
}

/// A stored state that is being changed.
pub trait StateEntry<T> {
    fn state(&mut self) -> &mut T;
    /// Stores when the state expires. A state that is changed without it keeps its expiry.
    fn set_usage(self, usage: Usage);
}

/// The time for which a state matters, and the quota that is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    pub expires: Micros,
    pub remaining: u32,
    /// The most that can remain.
    pub capacity: u32,
}

impl Usage {
    /// Returns the usage of a limit with this much left at `now`.
    ///
    /// The state expires after its reset plus [`IDLE`], up to which a charge in its turn looks
    /// back, plus the microsecond within which the leaky bucket carries over what has drained, and
    /// plus what a limit by the calendar needs.
    #[inline]
    pub fn new(limit: LimitRef<'_>, left: &Availability, now: Micros) -> Self {
        let kept = IDLE + 1 + limit.rate().map_or(0, Limit::kept_after_reset);
        Self {
            expires: now.saturating_add(left.reset).saturating_add(kept),
            remaining: left.remaining,
            capacity: match limit.algorithm() {
                // The bucket holds one request, whatever its rate.
                Some(Algorithm::LeakyBucket) => 1,
                _ => limit.quota(),
            },
        }
    }

    /// Returns the usage of a counter. A bucket keeps the charges that may still be settled for
    /// some time after its reset.
    #[inline]
    pub fn of_counter(limit: &Limit, state: &State, left: &Availability, now: Micros) -> Self {
        let mut usage = Self::new(LimitRef::Rate(limit), left, now);
        usage.expires = usage.expires.saturating_add(state.kept_for_settlement());
        usage
    }
}
