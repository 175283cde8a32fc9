//! [`History`]: how a policy's counts have grown over the last minute and the last hour, in rings
//! of a fixed size. The recorder counts; the time is passed in.
//!
//! The counts are totals, which only grow. The first count in a new second writes the totals into
//! the rings, so a count costs a relaxed addition and a comparison, and takes a lock once a second.

use std::{
    array,
    sync::atomic::{AtomicU64, Ordering},
};

use parking_lot::Mutex;

/// The series of one policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Count {
    Admitted,
    Denied,
    /// A shadow limit had no room.
    ShadowDenied,
    /// The store could not decide.
    Undecided,
}

/// The number of series.
const COUNTS: usize = 4;
/// The seconds that the shorter ring has.
const SECONDS: usize = 60;
/// The minutes that the longer ring has.
pub(super) const MINUTES: usize = 60;

type Totals = [u64; COUNTS];

/// Totals, and what they were at the end of each of the last seconds and minutes.
#[derive(Debug)]
pub(super) struct History {
    /// The totals. They are relaxed: each is read by itself, and guards no other data.
    totals: [AtomicU64; COUNTS],
    /// The second of the latest count. It is relaxed: the lock orders the rings, and this only
    /// tells when to take it.
    second: AtomicU64,
    rings: Mutex<Rings>,
}

#[derive(Debug)]
struct Rings {
    /// The second in which the totals grow now.
    second: u64,
    /// The totals at the end of a second, at the index of that second modulo the length.
    seconds: [Totals; SECONDS],
    minutes: [Totals; MINUTES],
}

/// The counts of one series.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Growth {
    pub(super) total: u64,
    /// The count in the last ten whole seconds.
    pub(super) ten_seconds: u64,
    /// The counts in each of the last 60 minutes, the oldest first; the last one is not over yet.
    pub(super) minutes: [u64; MINUTES],
}

impl History {
    pub(super) fn new(second: u64) -> Self {
        Self {
            totals: array::from_fn(|_| AtomicU64::new(0)),
            second: AtomicU64::new(second),
            rings: Mutex::new(Rings {
                second,
                seconds: [[0; COUNTS]; SECONDS],
                minutes: [[0; COUNTS]; MINUTES],
            }),
        }
    }

    /// Counts one request.
    #[inline]
    pub(super) fn count(&self, count: Count, second: u64) {
        if second > self.second.load(Ordering::Relaxed) {
            self.advance(second);
        }
        self.totals[count as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// Returns what has been counted of each series. The clock may have stepped back; the rings
    /// never do.
    pub(super) fn growth(&self, second: u64) -> [Growth; COUNTS] {
        self.advance(second);
        let rings = self.rings.lock();
        let totals = self.read();
        array::from_fn(|series| rings.growth(series, &totals))
    }

    /// Returns the second of the latest count, or of the latest look.
    pub(super) fn latest(&self) -> u64 {
        self.second.load(Ordering::Relaxed)
    }

    #[cold]
    fn advance(&self, second: u64) {
        let mut rings = self.rings.lock();
        let totals = self.read();
        rings.advance(second, totals);
        self.second.fetch_max(second, Ordering::Relaxed);
    }

    fn read(&self) -> Totals {
        array::from_fn(|series| self.totals[series].load(Ordering::Relaxed))
    }
}

impl Rings {
    /// Begins a second: nothing has been counted since the one that was current.
    fn advance(&mut self, second: u64, totals: Totals) {
        if second <= self.second {
            return;
        }
        let passed = second - self.second;
        for ended in (self.second..second).take(SECONDS.min(length(passed))) {
            self.seconds[index(ended, SECONDS)] = totals;
        }
        let minutes = self.second / 60..second / 60;
        let passed = minutes.end - minutes.start;
        for ended in minutes.take(MINUTES.min(length(passed))) {
            self.minutes[index(ended, MINUTES)] = totals;
        }
        self.second = second;
    }

    fn growth(&self, series: usize, totals: &Totals) -> Growth {
        let total = totals[series];
        // All entries are 0 before the first second, and so were the totals.
        let second = |ago: u64| {
            let ended = self.second.checked_sub(ago);
            ended.map_or(0, |ended| self.seconds[index(ended, SECONDS)][series])
        };
        let minute = |ago: u64| match (self.second / 60).checked_sub(ago) {
            _ if ago == 0 => total,
            Some(ended) => self.minutes[index(ended, MINUTES)][series],
            None => 0,
        };
        Growth {
            total,
            ten_seconds: second(1).saturating_sub(second(11)),
            minutes: array::from_fn(|at| {
                let ago = (MINUTES - 1 - at) as u64;
                minute(ago).saturating_sub(minute(ago + 1))
            }),
        }
    }
}

fn index(number: u64, length: usize) -> usize {
    usize::try_from(number % length as u64).unwrap_or(0)
}

fn length(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: u64 = 1_700_000_040;

    fn admitted(history: &History, second: u64) -> Growth {
        history.growth(second)[Count::Admitted as usize].clone()
    }

    fn count(history: &History, times: u64, second: u64) {
        for _ in 0..times {
            history.count(Count::Admitted, second);
        }
    }

    #[test]
    fn growth_is_that_of_whole_seconds_and_of_minutes() {
        let history = History::new(START);
        count(&history, 5, START);
        history.count(Count::Denied, START);
        assert_eq!(
            admitted(&history, START).ten_seconds,
            0,
            "it is not over yet"
        );
        assert_eq!(admitted(&history, START).minutes[MINUTES - 1], 5);
        count(&history, 7, START + 9);
        assert_eq!(admitted(&history, START + 10).ten_seconds, 12);
        assert_eq!(admitted(&history, START + 11).ten_seconds, 7);
        assert_eq!(admitted(&history, START + 20).ten_seconds, 0);
        let growth = admitted(&history, START + 60);
        assert_eq!(growth.minutes[MINUTES - 2..], [12, 0]);
        assert_eq!(growth.total, 12);
        let denied = &history.growth(START + 60)[Count::Denied as usize];
        assert_eq!(denied.minutes[MINUTES - 2..], [1, 0]);
    }

    #[test]
    fn minute_is_forgotten_after_an_hour() {
        let history = History::new(START);
        for minute in 0..90 {
            count(&history, minute + 1, START + 60 * minute);
        }
        let growth = admitted(&history, START + 60 * 89);
        let expected: Vec<_> = (31..=90).collect();
        assert_eq!(growth.minutes.to_vec(), expected);
        assert_eq!(growth.total, (1..=90).sum::<u64>());
    }

    #[test]
    fn silence_is_as_long_as_it_was() {
        for silence in [61, 59 * 60, 60 * 60, 61 * 60, 1_000_000] {
            let history = History::new(START);
            count(&history, 3, START);
            count(&history, 4, START + silence);
            let growth = admitted(&history, START + silence);
            let at = usize::try_from(silence / 60).expect("small");
            let expected = |index: usize| match MINUTES - 1 - index {
                0 => 4,
                ago if ago == at => 3,
                _ => 0,
            };
            let expected: Vec<_> = (0..MINUTES).map(expected).collect();
            assert_eq!(growth.minutes.to_vec(), expected, "{silence}");
            assert_eq!(admitted(&history, START + silence + 1).ten_seconds, 4);
        }
    }

    #[test]
    fn clock_that_steps_back_loses_nothing() {
        let history = History::new(START);
        count(&history, 1, START + 120);
        count(&history, 1, START);
        let growth = admitted(&history, START + 30);
        assert_eq!((growth.total, growth.minutes[MINUTES - 1]), (2, 2));
    }

    #[test]
    fn threads_count_together() {
        let history = History::new(START);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for second in 0..100 {
                        count(&history, 100, START + second);
                    }
                });
            }
        });
        let growth = admitted(&history, START + 100);
        assert_eq!(growth.total, 40_000);
        assert_eq!(growth.minutes.iter().sum::<u64>(), 40_000);
    }
}
