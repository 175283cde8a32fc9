//! The values of counters that are one text: windows and buckets. A sliding window is a list
//! (`log`), and permits are a sorted set.

use super::{
    bytes::{take, take_u32},
    usage::StoredUsage,
};
use crate::{
    algorithm::{IS_BEYOND, StoredState},
    limit::Counting,
    time::Micros,
};

impl StoredState {
    /// Returns the number of bytes of a value; 0 for a sliding window, which is a list.
    #[must_use]
    #[inline]
    pub fn width(counting: Counting) -> usize {
        match counting {
            Counting::FixedWindow | Counting::Calendar => 7 + 4,
            Counting::SlidingWindowCounter => 7 + 4 + 4,
            Counting::GreedyBucket | Counting::IntervalBucket | Counting::LeakyBucket => {
                4 + 6 + 7 + 5 + 6
            }
            Counting::SlidingWindow => 0,
        }
    }

    /// Reads the value of a counter, and advances `raw` to what follows it. Returns `None` if it is
    /// not one of this library's, and for a sliding window, which is a list.
    #[must_use]
    #[inline]
    pub fn decode(counting: Counting, raw: &mut &[u8]) -> Option<Self> {
        Some(match counting {
            // The twin of `fixed_window.lua`.
            Counting::FixedWindow => Self::Window {
                start: take(raw, 7)?,
                used: take_u32(raw, 4)?,
            },
            // The twin of `calendar_window.lua`.
            Counting::Calendar => Self::Calendar {
                latest: take(raw, 7)?,
                used: take_u32(raw, 4)?,
            },
            // The twin of `sliding_window_counter.lua`.
            Counting::SlidingWindowCounter => Self::Counters {
                start: take(raw, 7)?,
                current: take_u32(raw, 4)?,
                previous: take_u32(raw, 4)?,
            },
            // The twin of `bucket.lua`.
            Counting::GreedyBucket | Counting::IntervalBucket | Counting::LeakyBucket => {
                let debt = Self::Debt {
                    whole: take_u32(raw, 4)?,
                    part: take(raw, 6)?,
                    since: take(raw, 7)?,
                };
                // How long it was full, and until when the key lives, is of no use here.
                take(raw, 5)?;
                take(raw, 6)?;
                debt
            }
            Counting::SlidingWindow => return None,
        })
    }

    /// Returns the usage at `now` of a counter that counts like this. `left` is the time until the
    /// whole quota is available again by the expiry of the key, which says how fast a bucket
    /// drains. A bucket's key lives for up to twice as long as its debt, so the estimate may be too
    /// high and never is too low.
    #[must_use]
    pub fn usage(
        &self,
        counting: Counting,
        window: Micros,
        now: Micros,
        left: Option<Micros>,
    ) -> StoredUsage {
        match *self {
            Self::Window { start, used } => match now.checked_sub(start) {
                Some(elapsed) if elapsed < window => StoredUsage::exact(used, window - elapsed),
                _ => StoredUsage::exact(0, 0),
            },
            // The time zone is not stored, so the expiry tells when the period ends.
            Self::Calendar { used, .. } => match left {
                Some(left) if left > 0 => StoredUsage::exact(used, left),
                Some(_) => StoredUsage::exact(0, 0),
                None => StoredUsage {
                    used,
                    is_estimate: true,
                    reset: None,
                },
            },
            Self::Counters {
                start,
                current,
                previous,
            } => usage_of_windows(start, current, previous, window.max(1), now),
            Self::Debt { whole, part, since } => {
                // A debt from the future does not count: the clock has stepped back.
                let Some(elapsed) = now.checked_sub(since) else {
                    return StoredUsage::exact(0, 0);
                };
                let owed = whole.saturating_add(u32::from(part & !IS_BEYOND > 0));
                let used = left.map_or(owed, |left| match counting {
                    Counting::IntervalBucket => after_refills(owed, elapsed, left, window.max(1)),
                    _ => share(owed, left, elapsed.saturating_add(left)),
                });
                StoredUsage {
                    used,
                    is_estimate: true,
                    reset: left,
                }
            }
            Self::Log { newest, used, .. } => {
                let age = now.saturating_sub(newest);
                StoredUsage::exact(used, window.saturating_sub(age))
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
        let state = StoredState::Window {
            start: NOW,
            used: 3,
        };
        let at = |now| state.usage(Counting::FixedWindow, TEN_SECONDS, now, None);
        assert_eq!(at(NOW + 1), exact(3, TEN_SECONDS - 1));
        assert_eq!(at(NOW + TEN_SECONDS), exact(0, 0));
        assert_eq!(at(NOW - 1), exact(0, 0));
    }

    #[test]
    fn calendar_window_counts_until_its_period_ends() {
        let mut raw = Vec::new();
        raw.extend(&NOW.to_be_bytes()[1..]);
        raw.extend(3_u32.to_be_bytes());
        let state = StoredState::decode(Counting::Calendar, &mut &raw[..]).expect("a value");
        let used = StoredState::Calendar {
            latest: NOW,
            used: 3,
        };
        assert_eq!(state, used);
        let at = |left| state.usage(Counting::Calendar, 0, NOW, left);
        assert_eq!(at(Some(7)), exact(3, 7));
        assert_eq!(at(Some(0)), exact(0, 0));
        assert_eq!(at(None).used, 3);
        let cut = StoredState::decode(Counting::Calendar, &mut &raw[..10]);
        assert_eq!(cut, None);
    }

    #[test]
    fn window_counters_weigh_the_previous_window_rounded_up() {
        // 3 s of the current window have passed.
        let state = StoredState::Counters {
            start: NOW - 3_000_000,
            current: 2,
            previous: 5,
        };
        let at = |now| state.usage(Counting::SlidingWindowCounter, TEN_SECONDS, now, None);
        assert_eq!(at(NOW), exact(2 + 4, 17_000_000));
        assert_eq!(at(NOW + TEN_SECONDS), exact(2, 7_000_000));
        assert_eq!(at(NOW + 2 * TEN_SECONDS), exact(0, 0));
    }

    #[test]
    fn bucket_drains_by_the_expiry_of_its_key() {
        let debt = StoredState::Debt {
            whole: 9,
            part: 1,
            since: NOW,
        };
        // Ten tokens drain in ten seconds.
        let used = |now, left| {
            debt.usage(Counting::GreedyBucket, 1_000_000, now, left)
                .used
        };
        assert_eq!(used(NOW, Some(TEN_SECONDS)), 10);
        assert_eq!(used(NOW + 2_500_000, Some(7_500_000)), 8);
        assert_eq!(used(NOW + TEN_SECONDS, Some(0)), 0);
        // Nothing tells how fast it drains if there is no expiry.
        assert_eq!(used(NOW + 1, None), 10);
        // Four refills come, of three tokens or so.
        let interval = Counting::IntervalBucket;
        let used = |now, left| debt.usage(interval, TEN_SECONDS, now, Some(left)).used;
        assert_eq!(used(NOW + TEN_SECONDS - 1, 30_000_001), 10);
        assert_eq!(used(NOW + TEN_SECONDS, 30_000_000), 8);
        assert_eq!(used(NOW + 3 * TEN_SECONDS, TEN_SECONDS), 3);
        assert_eq!(used(NOW + 3 * TEN_SECONDS, TEN_SECONDS + 900), 3);
        assert_eq!(used(NOW + 4 * TEN_SECONDS + 1, 0), 0);
    }

    #[test]
    fn flag_of_a_debt_beyond_the_capacity_is_no_fraction() {
        let mut raw = 250_u32.to_be_bytes().to_vec();
        raw.extend(&IS_BEYOND.to_be_bytes()[2..]);
        raw.extend(&NOW.to_be_bytes()[1..]);
        raw.extend([0; 5 + 6]);
        let beyond = StoredState::decode(Counting::GreedyBucket, &mut &raw[..]).expect("a debt");
        let usage = beyond.usage(Counting::GreedyBucket, 1_000_000, NOW, None);
        assert_eq!(usage.used, 250);
    }

    #[test]
    fn value_is_read_to_its_end_and_no_further() {
        for counting in [
            Counting::FixedWindow,
            Counting::Calendar,
            Counting::SlidingWindowCounter,
            Counting::GreedyBucket,
            Counting::IntervalBucket,
            Counting::LeakyBucket,
        ] {
            let width = StoredState::width(counting);
            let raw = [0; 32];
            let mut rest = &raw[..];
            assert!(StoredState::decode(counting, &mut rest).is_some());
            assert_eq!(rest.len(), raw.len() - width, "{counting:?}");
            let cut = StoredState::decode(counting, &mut &raw[..width - 1]);
            assert_eq!(cut, None, "{counting:?}");
        }
    }

    #[test]
    fn foreign_values_are_not_read() {
        for counting in [
            Counting::FixedWindow,
            Counting::SlidingWindowCounter,
            Counting::GreedyBucket,
            Counting::LeakyBucket,
        ] {
            let read = StoredState::decode(counting, &mut &b"nonsense"[..]);
            assert_eq!(read, None, "{counting:?}");
        }
        let log = StoredState::decode(Counting::SlidingWindow, &mut &[0; 32][..]);
        assert_eq!(log, None);
    }
}
