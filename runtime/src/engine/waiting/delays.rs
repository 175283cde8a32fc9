//! Delays: admitted requests that are held for a while, a bounded number of them for each counter.
//! `delay` calls it; it reads no clock.

use std::{
    collections::{BTreeSet, HashMap},
    sync::atomic::{AtomicU64, Ordering},
};

use actix_throttle_core::{key::Key, time::Micros};
use parking_lot::Mutex;

use super::queue_key::QueueKey;

/// The delayed requests of one limiter.
#[derive(Debug, Default)]
pub(crate) struct Delays {
    /// The end of each delay, by counter, with a number that tells equal ends apart.
    ends: Mutex<HashMap<QueueKey, BTreeSet<(Micros, u64)>>>,
    /// The number of the next delay. It is relaxed, because each value is used once, for itself.
    numbers: AtomicU64,
}

/// The error of a counter for which as many requests are delayed as may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooManyDelayed {
    /// The time until one of them goes on, in microseconds. `None`: none may be delayed.
    pub(crate) wait: Option<Micros>,
}

/// The entry of a delayed request. Dropping it makes room for another request.
#[derive(Debug)]
pub(super) struct DelayEntry<'a> {
    delays: &'a Delays,
    key: QueueKey,
    end: (Micros, u64),
}

impl Delays {
    /// Adds a request to those that are delayed for the counter of `key`, until `end`.
    ///
    /// # Errors
    ///
    /// If there are `most` of them already.
    pub(super) fn enter(
        &self,
        key: &Key<'_>,
        now: Micros,
        end: Micros,
        most: usize,
    ) -> Result<DelayEntry<'_>, TooManyDelayed> {
        let end = (end, self.numbers.fetch_add(1, Ordering::Relaxed));
        let key = QueueKey::of(key);
        let mut counters = self.ends.lock();
        let ends = counters.entry(key.clone()).or_default();
        if ends.len() >= most {
            let first = ends.first().map(|(first, _)| *first);
            if ends.is_empty() {
                counters.remove(&key);
            }
            let wait = first.map(|first| first.saturating_sub(now).max(1));
            return Err(TooManyDelayed { wait });
        }
        ends.insert(end);
        drop(counters);
        Ok(DelayEntry {
            delays: self,
            key,
            end,
        })
    }
}

impl Drop for DelayEntry<'_> {
    fn drop(&mut self) {
        let mut counters = self.delays.ends.lock();
        if let Some(ends) = counters.get_mut(&self.key) {
            ends.remove(&self.end);
            if ends.is_empty() {
                counters.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use actix_throttle_core::{identity::Identity, limit::Limit};

    use super::*;

    #[test]
    fn entries_are_bounded_for_each_counter() {
        let delays = Delays::default();
        let (limit, ann, ben) = (Limit::per_minute(9), "ann".into(), "ben".into());
        let key = |who: &'static Identity| Key::counter(who, &limit);
        let [ann, ben]: [&'static Identity; 2] = [ann, ben].map(|who| &*Box::leak(Box::new(who)));
        let late = delays.enter(&key(ann), 100, 900, 2).expect("room");
        let soon = delays.enter(&key(ann), 100, 500, 2).expect("room");
        let full = |wait| Some(TooManyDelayed { wait });
        assert_eq!(delays.enter(&key(ann), 200, 900, 2).err(), full(Some(300)));
        let other = delays.enter(&key(ben), 200, 900, 2).expect("room");
        drop(soon);
        let again = delays.enter(&key(ann), 200, 900, 2).expect("room again");
        assert_eq!(delays.enter(&key(ann), 300, 999, 2).err(), full(Some(600)));
        drop((late, again, other));
        assert!(delays.ends.lock().is_empty(), "nothing is left behind");
        assert_eq!(delays.enter(&key(ann), 0, 9, 0).err(), full(None));
        assert!(delays.ends.lock().is_empty());
    }
}
