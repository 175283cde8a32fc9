//! States that another store has kept, as numbers. The Redis store reads them from the script's
//! reply, so that the step functions here make the verdicts of what the script has charged. Their
//! bytes are read by `crate::stored`.

use super::{
    State,
    debt::{Debt, HAS_HISTORY, IS_BEYOND},
    fixed_window::FixedWindow,
    interval_bucket::IntervalBucket,
    leaky_bucket::LeakyBucket,
    sliding_window::AdmissionLog,
    sliding_window_counter::WindowCounters,
    token_bucket::GreedyBucket,
};
use crate::{
    limit::{Counting, Limit},
    time::Micros,
};

/// The numbers of a state, as the script stores them. Zeros stand for an absent state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoredState {
    /// A fixed window that opened at `start`.
    Window { start: Micros, used: u32 },
    /// A window by the calendar, with the time of its latest charge.
    Calendar { latest: Micros, used: u32 },
    /// The counters of the window that contains `start`, and of the one before it. As far as that
    /// is after the window's start, it is the counter's mark.
    Counters {
        start: Micros,
        current: u32,
        previous: u32,
    },
    /// The tokens missing from a bucket as of `since`: `whole`, and `part` W-ths of one, with the
    /// flag of a debt that a settlement has made and that of a bucket with a history. With refills
    /// at intervals, `part` is the flags alone.
    Debt {
        whole: u32,
        part: u64,
        since: Micros,
    },
    /// The admissions in the window: the times of the first and the last one, and their costs
    /// together. `leaving` has for some costs the admission with which that much has left the
    /// window: the wait for a request of which more than 1 does not fit needs its own.
    Log {
        oldest: Micros,
        newest: Micros,
        used: u32,
        leaving: Vec<(u32, Micros)>,
    },
}

impl State {
    /// Returns the state of `limit` with these numbers; the empty state if the limit counts by
    /// others.
    #[inline]
    pub fn of_stored(limit: &Limit, stored: StoredState) -> Self {
        match (limit.counting(), stored) {
            (Counting::FixedWindow, StoredState::Window { start, used }) => {
                Self::FixedWindow(FixedWindow::new(start, used))
            }
            (
                Counting::SlidingWindowCounter,
                StoredState::Counters {
                    start,
                    current,
                    previous,
                },
            ) => Self::WindowCounters(WindowCounters::new(start, limit, current, previous)),
            (Counting::GreedyBucket, StoredState::Debt { whole, part, since }) => Self::Greedy(
                GreedyBucket::new(Debt::stored(whole, part & !HAS_HISTORY, since)),
            ),
            (Counting::IntervalBucket, StoredState::Debt { whole, part, since }) => {
                let is_beyond = part & IS_BEYOND > 0;
                Self::Interval(IntervalBucket::new(whole, is_beyond, since))
            }
            (Counting::LeakyBucket, StoredState::Debt { whole, part, since }) => Self::Leaky(
                LeakyBucket::new(Debt::stored(whole, part & !HAS_HISTORY, since)),
            ),
            (
                Counting::SlidingWindow,
                StoredState::Log {
                    oldest,
                    newest,
                    used: used @ 1..,
                    leaving,
                },
            ) => {
                let log = AdmissionLog::between(oldest, newest, used, leaving);
                Self::AdmissionLog(Box::new(log))
            }
            _ => Self::empty(limit),
        }
    }

    /// Returns the numbers of this state, for a look at it without its limit. Of a log, they are
    /// what is in the window at `now`.
    pub fn numbers(&self, window: Micros, now: Micros) -> StoredState {
        let debt = |(whole, part, since)| StoredState::Debt { whole, part, since };
        match self {
            Self::FixedWindow(state) => {
                let (start, used) = state.numbers();
                StoredState::Window { start, used }
            }
            Self::CalendarWindow(state) => {
                let (latest, used) = state.numbers();
                StoredState::Calendar { latest, used }
            }
            Self::WindowCounters(state) => {
                let (start, current, previous) = state.numbers();
                StoredState::Counters {
                    start,
                    current,
                    previous,
                }
            }
            Self::Greedy(state) => debt(state.debt().numbers()),
            Self::Leaky(state) => debt(state.debt().numbers()),
            Self::Interval(state) => {
                let (missing, since) = state.numbers();
                debt((missing, 0, since))
            }
            Self::BucketHistory(state) => {
                let (whole, part, since) = state.numbers();
                debt((whole, part | HAS_HISTORY, since))
            }
            Self::AdmissionLog(log) => {
                let (oldest, newest, used) = log.usage(window, now);
                StoredState::Log {
                    oldest,
                    newest,
                    used,
                    leaving: Vec::new(),
                }
            }
        }
    }
}
