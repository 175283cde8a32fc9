//! The values of counters that are one text: windows and buckets. A sliding window is a list
//! (`log`), and permits are a sorted set.

use super::{
    bytes::{take, take_u32},
    usage::StoredUsage,
};
use crate::{
    limit::{Algorithm, Refill},
    time::Micros,
};

/// The flag of a debt that a settlement has made larger than the capacity, in its fraction.
const IS_BEYOND: u64 = 1 << 47;

/// The value of a counter's key, as the algorithm of the key stores it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoredCounter {
    /// The twin of `fixed_window.lua`.
    FixedWindow { start: Micros, used: u32 },
    /// The twin of `sliding_window_counter.lua`.
    WindowCounters {
        start: Micros,
        current: u32,
        previous: u32,
    },
    /// The twin of `calendar_window.lua`.
    CalendarWindow { latest: Micros, used: u32 },
    /// The twin of `bucket.lua`. A bucket owes `whole` tokens and a fraction of one since `since`.
    Debt {
        whole: u32,
        has_fraction: bool,
        since: Micros,
        refill: Refill,
    },
}

impl StoredCounter {
    /// Reads the value of a key with this algorithm. Returns `None` if it is not one of this
    /// library's, and for a sliding window, which is a list.
    #[must_use]
    pub fn decode(algorithm: Algorithm, refill: Refill, mut raw: &[u8]) -> Option<Self> {
        let raw = &mut raw;
        Some(match algorithm {
            Algorithm::SlidingWindow => return None,
            Algorithm::FixedWindow => Self::FixedWindow {
                start: take(raw, 7)?,
                used: take_u32(raw, 4)?,
            },
            Algorithm::SlidingWindowCounter => Self::WindowCounters {
                start: take(raw, 7)?,
                current: take_u32(raw, 4)?,
                previous: take_u32(raw, 4)?,
            },
            Algorithm::TokenBucket | Algorithm::LeakyBucket => Self::Debt {
                whole: take_u32(raw, 4)?,
                has_fraction: take(raw, 6)? & !IS_BEYOND > 0,
                // Two numbers follow: how long it has been full, and until when the key lives.
                since: take(raw, 7)?,
                refill,
            },
        })
    }

    /// Reads the value of a key of the calendar. Returns `None` if it is not one of this library's.
    #[must_use]
    pub fn decode_calendar(mut raw: &[u8]) -> Option<Self> {
        Some(Self::CalendarWindow {
            latest: take(&mut raw, 7)?,
            used: take_u32(&mut raw, 4)?,
        })
    }

    /// Returns the usage at `now`. `left` is the time until the whole quota is available again by
    /// the expiry of the key, which says how fast a bucket drains. A bucket's key lives for up to
    /// twice as long as its debt, so the estimate may be too high and never is too low.
    #[must_use]
    pub fn usage(&self, window: Micros, now: Micros, left: Option<Micros>) -> StoredUsage {
        match *self {
            Self::FixedWindow { start, used } => match now.checked_sub(start) {
                Some(elapsed) if elapsed < window => StoredUsage::exact(used, window - elapsed),
                _ => StoredUsage::exact(0, 0),
            },
            // The time zone is not stored, so the expiry tells when the period ends.
            Self::CalendarWindow { used, .. } => match left {
                Some(left) if left > 0 => StoredUsage::exact(used, left),
                Some(_) => StoredUsage::exact(0, 0),
                None => StoredUsage {
                    used,
                    is_estimate: true,
                    reset: None,
                },
            },
            Self::WindowCounters {
                start,
                current,
                previous,
            } => usage_of_windows(start, current, previous, window.max(1), now),
            Self::Debt {
                whole,
                has_fraction,
                since,
                refill,
            } => {
                // A debt from the future does not count: the clock has stepped back.
                let Some(elapsed) = now.checked_sub(since) else {
                    return StoredUsage::exact(0, 0);
                };
                let owed = whole.saturating_add(u32::from(has_fraction));
                let used = left.map_or(owed, |left| match refill {
                    Refill::Interval => after_refills(owed, elapsed, left, window.max(1)),
                    Refill::Greedy => share(owed, left, elapsed.saturating_add(left)),
                });
                StoredUsage {
                    used,
                    is_estimate: true,
                    reset: left,
                }
            }
        }
    }
}

fn usage_of_windows(
    start: Micros,
    current: u32,
    previous: u32,
    window: Micros,
    now: Micros,
) -> StoredUsage {
    let elapsed = now % window;
    let began = now - elapsed;
    // The mark of the counter is added to its start.
    let start = start - start % window;
    let (current, previous) = if start == began {
        (current, previous)
    } else if start.saturating_add(window) == began {
        (0, current)
    } else {
        (0, 0)
    };
    let left = window - elapsed;
    let used = current.saturating_add(share(previous, left, window));
    let reset = match current {
        0 => left,
        _ => left.saturating_add(window),
    };
    StoredUsage::exact(used, reset)
}

/// Returns what is owed after the refills that have come: at each one, the same number of tokens.
fn after_refills(owed: u32, elapsed: Micros, left: Micros, window: Micros) -> u32 {
    if left == 0 {
        return 0;
    }
    let gone = elapsed / window;
    // The expiry is rounded, so the end of the last refill is only about this.
    let all = elapsed.saturating_add(left).saturating_add(window / 2) / window;
    let all = all.max(gone + 1);
    share(owed, all - gone, all)
}

/// Returns `amount × part / whole`, rounded up.
fn share(amount: u32, part: u64, whole: u64) -> u32 {
    if part >= whole {
        return amount;
    }
    let share = (u128::from(amount) * u128::from(part)).div_ceil(u128::from(whole));
    u32::try_from(share).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Micros = 1_764_000_003_000_000;
    const TEN_SECONDS: Micros = 10_000_000;

    fn exact(used: u32, reset: Micros) -> StoredUsage {
        StoredUsage::exact(used, reset)
    }

    #[test]
    fn fixed_window_counts_until_it_ends() {
        let state = StoredCounter::FixedWindow {
            start: NOW,
            used: 3,
        };
        let at = |now| state.usage(TEN_SECONDS, now, None);
        assert_eq!(at(NOW + 1), exact(3, TEN_SECONDS - 1));
        assert_eq!(at(NOW + TEN_SECONDS), exact(0, 0));
        assert_eq!(at(NOW - 1), exact(0, 0));
    }

    #[test]
    fn calendar_window_counts_until_its_period_ends() {
        let mut raw = Vec::new();
        raw.extend(&NOW.to_be_bytes()[1..]);
        raw.extend(3_u32.to_be_bytes());
        let state = StoredCounter::decode_calendar(&raw).expect("a value");
        let used = StoredCounter::CalendarWindow {
            latest: NOW,
            used: 3,
        };
        assert_eq!(state, used);
        assert_eq!(state.usage(0, NOW, Some(7)), exact(3, 7));
        assert_eq!(state.usage(0, NOW, Some(0)), exact(0, 0));
        assert_eq!(state.usage(0, NOW, None).used, 3);
        assert_eq!(StoredCounter::decode_calendar(&raw[..10]), None);
    }

    #[test]
    fn window_counters_weigh_the_previous_window_rounded_up() {
        // 3 s of the current window have passed.
        let state = StoredCounter::WindowCounters {
            start: NOW - 3_000_000,
            current: 2,
            previous: 5,
        };
        let at = |now| state.usage(TEN_SECONDS, now, None);
        assert_eq!(at(NOW), exact(2 + 4, 17_000_000));
        assert_eq!(at(NOW + TEN_SECONDS), exact(2, 7_000_000));
        assert_eq!(at(NOW + 2 * TEN_SECONDS), exact(0, 0));
    }

    #[test]
    fn bucket_drains_by_the_expiry_of_its_key() {
        let state = |refill| StoredCounter::Debt {
            whole: 9,
            has_fraction: true,
            since: NOW,
            refill,
        };
        // Ten tokens drain in ten seconds.
        let greedy = state(Refill::Greedy);
        let used = |now, left| greedy.usage(1_000_000, now, Some(left)).used;
        assert_eq!(used(NOW, TEN_SECONDS), 10);
        assert_eq!(used(NOW + 2_500_000, 7_500_000), 8);
        assert_eq!(used(NOW + TEN_SECONDS, 0), 0);
        // Four refills come, of three tokens or so.
        let interval = state(Refill::Interval);
        let used = |now, left| interval.usage(TEN_SECONDS, now, Some(left)).used;
        assert_eq!(used(NOW + TEN_SECONDS - 1, 30_000_001), 10);
        assert_eq!(used(NOW + TEN_SECONDS, 30_000_000), 8);
        assert_eq!(used(NOW + 3 * TEN_SECONDS, TEN_SECONDS), 3);
        assert_eq!(used(NOW + 3 * TEN_SECONDS, TEN_SECONDS + 900), 3);
        assert_eq!(used(NOW + 4 * TEN_SECONDS + 1, 0), 0);
        // A debt beyond the capacity has a flag beside its fraction.
        let mut raw = 250_u32.to_be_bytes().to_vec();
        raw.extend(&(1_u64 << 47).to_be_bytes()[2..]);
        raw.extend(&NOW.to_be_bytes()[1..]);
        let beyond = StoredCounter::decode(Algorithm::TokenBucket, Refill::Greedy, &raw);
        assert_eq!(
            beyond.expect("a debt").usage(1_000_000, NOW, None).used,
            250
        );
        // Nothing tells how fast it drains if there is no expiry.
        assert_eq!(greedy.usage(1_000_000, NOW + 1, None).used, 10);
    }

    #[test]
    fn foreign_values_are_not_read() {
        for algorithm in [
            Algorithm::FixedWindow,
            Algorithm::SlidingWindowCounter,
            Algorithm::TokenBucket,
            Algorithm::LeakyBucket,
        ] {
            let read = StoredCounter::decode(algorithm, Refill::Greedy, b"nonsense");
            assert_eq!(read, None, "{algorithm:?}");
        }
        let log = StoredCounter::decode(Algorithm::SlidingWindow, Refill::Greedy, &[0; 32]);
        assert_eq!(log, None);
    }
}
