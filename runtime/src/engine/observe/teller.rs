//! [`Teller`]: tells observers under no lock what happens in several threads, each thing once and
//! in order. So an observer may call the limiter, and what it calls may tell something itself.

use parking_lot::Mutex;

/// State of which observers are told. One call at a time tells them.
#[derive(Debug, Default)]
pub(crate) struct Teller<T>(Mutex<Inner<T>>);

#[derive(Debug, Default)]
struct Inner<T> {
    state: T,
    is_telling: bool,
}

impl<T> Teller<T> {
    #[cfg(any(feature = "redis", test))]
    pub(crate) fn new(state: T) -> Self {
        Self(Mutex::new(Inner {
            state,
            is_telling: false,
        }))
    }

    /// Calls `work` with the state, under its lock: `work` must tell nothing.
    #[cfg(any(feature = "config", test))]
    pub(crate) fn with<R>(&self, work: impl FnOnce(&mut T) -> R) -> R {
        work(&mut self.0.lock().state)
    }

    /// Tells what `next` takes out of the state, until that is nothing.
    ///
    /// If another call is telling, that one goes on with it, and this one returns at once: another
    /// thread, or the call that the observer has been called by.
    pub(crate) fn tell<N>(
        &self,
        mut next: impl FnMut(&mut T) -> Option<N>,
        mut tell: impl FnMut(N),
    ) {
        let Some(mut turn) = TellerTurn::begin(self) else {
            return;
        };
        while let Some(news) = turn.take(&mut next) {
            tell(news);
        }
    }
}

/// The turn of the one call that tells. It ends with a panic of an observer too.
struct TellerTurn<'a, T> {
    teller: &'a Teller<T>,
    has_ended: bool,
}

impl<'a, T> TellerTurn<'a, T> {
    fn begin(teller: &'a Teller<T>) -> Option<Self> {
        let mut inner = teller.0.lock();
        if inner.is_telling {
            return None;
        }
        inner.is_telling = true;
        Some(Self {
            teller,
            has_ended: false,
        })
    }

    /// Takes the next thing to tell. If there is none, the turn ends under the same lock: what is
    /// added later finds nobody telling.
    fn take<N>(&mut self, next: impl FnOnce(&mut T) -> Option<N>) -> Option<N> {
        let mut inner = self.teller.0.lock();
        let news = next(&mut inner.state);
        if news.is_none() {
            inner.is_telling = false;
            self.has_ended = true;
        }
        news
    }
}

impl<T> Drop for TellerTurn<'_, T> {
    fn drop(&mut self) {
        // Another turn may have begun after the end of this one.
        if !self.has_ended {
            self.teller.0.lock().is_telling = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        cell::RefCell,
        collections::VecDeque,
        panic::{AssertUnwindSafe, catch_unwind},
        sync::Mutex as StdMutex,
        thread,
    };

    use super::*;

    type Queue = Teller<VecDeque<u32>>;

    fn add(queue: &Queue, number: u32) {
        queue.with(|numbers| numbers.push_back(number));
    }

    #[test]
    fn what_is_told_meanwhile_comes_afterwards() {
        let queue = Queue::default();
        let told = RefCell::new(Vec::new());
        let tell = |number| {
            if number == 1 {
                add(&queue, 3);
                queue.tell(VecDeque::pop_front, |_| panic!("one call at a time tells"));
            }
            told.borrow_mut().push(number);
        };
        add(&queue, 1);
        add(&queue, 2);
        queue.tell(VecDeque::pop_front, tell);
        assert_eq!(*told.borrow(), [1, 2, 3]);
    }

    #[test]
    fn panic_of_an_observer_ends_the_turn() {
        let queue = Queue::default();
        add(&queue, 1);
        add(&queue, 2);
        let telling = || queue.tell(VecDeque::pop_front, |_| panic!("an observer"));
        catch_unwind(AssertUnwindSafe(telling)).expect_err("it panics");
        let mut told = Vec::new();
        queue.tell(VecDeque::pop_front, |number| told.push(number));
        assert_eq!(told, [2]);
    }

    #[test]
    fn threads_tell_each_thing_once_and_in_order() {
        const EACH: u32 = 2_000;
        let counter = Teller::new((0_u32, VecDeque::new()));
        let told = StdMutex::new(Vec::new());
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..EACH {
                        counter.with(|(count, numbers)| {
                            *count += 1;
                            numbers.push_back(*count);
                        });
                        let tell = |number| told.lock().expect("no panic").push(number);
                        counter.tell(|(_, numbers)| numbers.pop_front(), tell);
                    }
                });
            }
        });
        let expected: Vec<_> = (1..=4 * EACH).collect();
        assert_eq!(*told.lock().expect("no panic"), expected);
    }
}
