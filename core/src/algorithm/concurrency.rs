//! Concurrency limit: a table of permits, each with a deadline. The twin of `concurrency.lua`; the
//! in-memory store calls it and passes the time in.

use std::collections::{BTreeSet, HashMap};

use super::{Availability, Wait};
use crate::{
    limit::{Concurrency, PermitId},
    time::Micros,
};

/// The permits of a [`Concurrency`] that are held, each until a deadline unless it is renewed.
///
/// A permit that has reached its deadline is released. A deadline further off than the permit's own
/// expiry was set before the clock stepped back; it is lowered for good to that expiry from now on,
/// so that no permit is held for longer.
///
/// Each permit keeps its own expiry, since a deploy may change that of the limit: a process that
/// acquired the permit under the old expiry renews it as often as the old expiry demands. A lowered
/// `max` takes no permit away.
#[derive(Debug, Default)]
pub struct PermitTable {
    by_deadline: BTreeSet<(Micros, PermitId)>,
    permits: HashMap<PermitId, PermitEntry>,
}

#[derive(Clone, Copy, Debug)]
struct PermitEntry {
    deadline: Micros,
    expiry: Micros,
}

impl PermitTable {
    /// Returns how long at most until there is a permit for `permit_id`, none if it holds one
    /// already, and what is left of the limit.
    #[inline]
    pub fn peek(
        &mut self,
        limit: &Concurrency,
        permit_id: PermitId,
        now: Micros,
    ) -> (Wait, Availability) {
        self.drop_expired(now);
        (
            self.wait(limit, permit_id, now),
            self.availability(limit, now),
        )
    }

    /// Acquires a permit for `permit_id` if there is one, and returns what is then left. A permit
    /// that is held already is renewed from now on.
    #[inline]
    pub fn try_acquire(
        &mut self,
        limit: &Concurrency,
        permit_id: PermitId,
        now: Micros,
    ) -> (Wait, Availability) {
        self.drop_expired(now);
        let wait = self.wait(limit, permit_id, now);
        if wait == Wait::None {
            let expiry = limit.expiry_micros();
            self.hold(permit_id, now.saturating_add(expiry), expiry);
        }
        (wait, self.availability(limit, now))
    }

    /// Releases the permit; returns whether it was held.
    #[inline]
    pub fn release(&mut self, permit_id: PermitId) -> bool {
        let Some(entry) = self.permits.remove(&permit_id) else {
            return false;
        };
        self.by_deadline.remove(&(entry.deadline, permit_id))
    }

    /// Returns the number of permits that are held at `now`.
    pub fn held(&self, now: Micros) -> u32 {
        let held = self
            .by_deadline
            .iter()
            .filter(|(deadline, _)| *deadline > now);
        u32::try_from(held.count()).unwrap_or(u32::MAX)
    }

    /// Returns the time until the last permit expires, if none is renewed or acquired.
    #[inline]
    pub fn reset(&self, now: Micros) -> Micros {
        let last = self.by_deadline.last();
        last.map_or(0, |(deadline, _)| deadline.saturating_sub(now))
    }

    /// Releases expired permits, and lowers deadlines that lie too far ahead.
    #[inline]
    fn drop_expired(&mut self, now: Micros) {
        while let Some(&(deadline, permit_id)) = self.by_deadline.first()
            && deadline <= now
        {
            self.release(permit_id);
        }
        // A permit acquired after the clock stepped back sorts before any deadline from before the
        // step, unless that was lowered already. So the last deadline shows whether there was a
        // step.
        let last = self.by_deadline.last().copied();
        if last.is_some_and(|(_, permit_id)| self.is_too_far(permit_id, now)) {
            let all: Vec<(PermitId, PermitEntry)> = self
                .permits
                .iter()
                .map(|(permit_id, entry)| (*permit_id, *entry))
                .collect();
            for (permit_id, PermitEntry { expiry, .. }) in all {
                if self.is_too_far(permit_id, now) {
                    self.hold(permit_id, now.saturating_add(expiry), expiry);
                }
            }
        }
    }

    #[inline]
    fn is_too_far(&self, permit_id: PermitId, now: Micros) -> bool {
        let entry = self.permits.get(&permit_id);
        entry.is_some_and(|entry| entry.deadline > now.saturating_add(entry.expiry))
    }

    #[inline]
    fn hold(&mut self, permit_id: PermitId, deadline: Micros, expiry: Micros) {
        self.release(permit_id);
        self.by_deadline.insert((deadline, permit_id));
        self.permits
            .insert(permit_id, PermitEntry { deadline, expiry });
    }

    #[inline]
    fn wait(&self, limit: &Concurrency, permit_id: PermitId, now: Micros) -> Wait {
        let max = limit.max() as usize;
        if self.permits.len() < max || self.permits.contains_key(&permit_id) {
            return Wait::None;
        }
        // If `max` was lowered, several permits must be released before there is room.
        let deadline = self.by_deadline.iter().nth(self.permits.len() - max);
        Wait::For(deadline.map_or(1, |(deadline, _)| deadline.saturating_sub(now).max(1)))
    }

    /// Returns what is left of the limit, if no permit has expired since the last call.
    #[inline]
    pub fn availability(&self, limit: &Concurrency, now: Micros) -> Availability {
        let held = u32::try_from(self.permits.len()).unwrap_or(u32::MAX);
        Availability {
            remaining: limit.max().saturating_sub(held),
            reset: self.reset(now),
            // A permit may be released at any moment.
            more: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const SECOND: Micros = 1_000_000;
    const TWO: Concurrency = Concurrency::new(2).expiry(Duration::from_secs(10));

    fn waits(
        table: &mut PermitTable,
        limit: &Concurrency,
        permit_id: u64,
        now: Micros,
    ) -> Option<Micros> {
        match table.try_acquire(limit, PermitId(permit_id), now).0 {
            Wait::None => None,
            Wait::For(wait) => Some(wait),
            Wait::Never => unreachable!(),
        }
    }

    #[test]
    fn permit_is_held_to_its_deadline_and_not_beyond() {
        let mut table = PermitTable::default();
        assert_eq!(waits(&mut table, &TWO, 1, SECOND), None);
        assert_eq!(waits(&mut table, &TWO, 2, 2 * SECOND), None);
        assert_eq!(waits(&mut table, &TWO, 3, 3 * SECOND), Some(8 * SECOND));
        assert_eq!(waits(&mut table, &TWO, 3, 11 * SECOND - 1), Some(1));
        assert_eq!(waits(&mut table, &TWO, 3, 11 * SECOND), None);
        // A late release does not free the permit of another request.
        assert!(!table.release(PermitId(1)));
        assert_eq!(waits(&mut table, &TWO, 1, 11 * SECOND), Some(SECOND));
        assert!(table.release(PermitId(2)) && !table.release(PermitId(2)));
        assert_eq!(waits(&mut table, &TWO, 1, 11 * SECOND), None);
    }

    #[test]
    fn clock_step_back_locks_out_for_at_most_the_expiry() {
        let mut table = PermitTable::default();
        let day = 86_400 * SECOND;
        assert_eq!(waits(&mut table, &TWO, 1, day), None);
        assert_eq!(waits(&mut table, &TWO, 2, day + SECOND), None);
        // The deadline is lowered once, not again and again.
        assert_eq!(waits(&mut table, &TWO, 3, SECOND), Some(10 * SECOND));
        assert_eq!(waits(&mut table, &TWO, 3, 10 * SECOND), Some(SECOND));
        assert_eq!(waits(&mut table, &TWO, 3, 11 * SECOND), None);
    }

    #[test]
    fn changed_numbers_take_no_permit_away() {
        let mut table = PermitTable::default();
        for permit_id in 0..5 {
            let limit = Concurrency::new(5).expiry(Duration::from_secs(100));
            assert_eq!(
                waits(&mut table, &limit, permit_id, SECOND * (1 + permit_id)),
                None
            );
        }
        // Four permits must be released before there is room, and a shorter expiry applies to new
        // permits only.
        assert_eq!(waits(&mut table, &TWO, 9, 5 * SECOND), Some(99 * SECOND));
        assert_eq!(
            waits(&mut table, &TWO, 3, 5 * SECOND),
            None,
            "it runs already"
        );
        let (_, quota) = table.peek(&TWO, PermitId(9), 5 * SECOND);
        assert_eq!((quota.remaining, quota.reset), (0, 100 * SECOND));
    }
}
