//! The values of counters that are one text: windows and buckets. A sliding window is a list
//! (`log`), and permits are a sorted set.

use super::{
    bytes::{take, take_u32},
    usage::StoredUsage,
};
use crate::{
    algorithm::{HAS_HISTORY, IS_BEYOND, KEPT_FOR_SETTLEMENT, StoredState},
    limit::Counting,
    time::Micros,
};

#[cfg(test)]
mod tests;

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
                let fraction = part & !(IS_BEYOND | HAS_HISTORY);
                let owed = whole.saturating_add(u32::from(fraction > 0));
                let left = if part & HAS_HISTORY > 0 {
                    left.map(|left| left.saturating_sub(KEPT_FOR_SETTLEMENT))
                } else {
                    left
                };
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
