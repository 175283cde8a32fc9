//! The log of a sliding window: a list, newest admission first, whose last element is the base. The
//! twin of `sliding_window.lua`.

use super::{bytes::take, usage::StoredUsage};
use crate::time::Micros;

/// Times are stored modulo this number of microseconds.
const TIME_SPAN: Micros = 1 << 48;
/// Sums are stored modulo this number.
const SUM_SPAN: u64 = 1 << 24;

/// One element of a log: an admission, or the base.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogElement {
    time: u64,
    /// The running sum of costs up to and including this admission.
    sum: u64,
}

impl LogElement {
    /// The bytes of an element, without the marks of a cluster that may follow.
    pub const WIDTH: usize = 6 + 3;

    /// Reads an element. Returns `None` if it is not one of this library's.
    #[must_use]
    #[inline]
    pub fn decode(mut raw: &[u8]) -> Option<Self> {
        let time = take(&mut raw, 6)?;
        let sum = take(&mut raw, 3)?;
        Some(Self { time, sum })
    }

    /// Returns the time of the admission, which is not in the future.
    #[must_use]
    #[inline]
    pub fn time_before(&self, now: Micros) -> Micros {
        now.saturating_sub(self.distance(now))
    }

    /// Returns the costs of the admissions from behind `before` up to and including this one.
    #[must_use]
    #[inline]
    pub fn cost_since(&self, before: &Self) -> u32 {
        let cost = (self.sum + SUM_SPAN - before.sum) % SUM_SPAN;
        u32::try_from(cost).unwrap_or(u32::MAX)
    }

    /// Returns the age; `None` if the admission is in the future.
    fn age(&self, now: Micros) -> Option<Micros> {
        let age = self.distance(now);
        (age < TIME_SPAN / 2).then_some(age)
    }

    /// Returns the age modulo the span of times.
    #[inline]
    fn distance(&self, now: Micros) -> Micros {
        (now % TIME_SPAN + TIME_SPAN - self.time) % TIME_SPAN
    }
}

/// The search for the admissions inside the window, without reading the whole list. The caller
/// fetches the element that [`next`](Self::next) names and passes it to [`feed`](Self::feed), until
/// there is no next one.
///
/// The state of the list is assumed not to change in between. If it does, the usage is that of a
/// list in between.
#[derive(Clone, Copy, Debug)]
pub struct LogSearch {
    window: Micros,
    now: Micros,
    /// The number of admissions, which is the index of the base.
    count: u64,
    /// The index that is searched is in `low..=high`.
    low: u64,
    high: u64,
    /// The newest admission that is not in the future.
    newest: Option<LogElement>,
    /// The newest element before the window.
    before: Option<LogElement>,
    phase: SearchPhase,
}

/// The step of a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SearchPhase {
    /// Searches `newest`, from the start of the list.
    Newest,
    /// Looks at the oldest admission, which is inside the window most of the time.
    Oldest,
    /// Searches `before`.
    Before,
    Done,
}

impl LogSearch {
    /// Starts a search in a list of `length` elements.
    #[must_use]
    pub fn new(length: u64, window: Micros, now: Micros) -> Self {
        let count = length.saturating_sub(1);
        Self {
            window,
            now,
            count,
            low: 0,
            high: count,
            newest: None,
            before: None,
            phase: if count == 0 {
                SearchPhase::Done
            } else {
                SearchPhase::Newest
            },
        }
    }

    /// Returns the index of the element that is needed next, from 0; `None` if the search is done.
    #[must_use]
    pub fn next(&self) -> Option<u64> {
        match self.phase {
            SearchPhase::Newest if self.low == 0 => Some(0),
            SearchPhase::Newest | SearchPhase::Before => {
                Some(self.low + (self.high - self.low) / 2)
            }
            SearchPhase::Oldest => Some(self.count - 1),
            SearchPhase::Done => None,
        }
    }

    /// Takes the element that `next` has named; `None` if there is none any more, which ends the
    /// search.
    pub fn feed(&mut self, element: Option<LogElement>) {
        let (Some(element), Some(index)) = (element, self.next()) else {
            self.newest = None;
            self.phase = SearchPhase::Done;
            return;
        };
        let age = element.age(self.now);
        match self.phase {
            SearchPhase::Newest => match age {
                Some(_) => (self.high, self.newest) = (index, Some(element)),
                None => self.low = index + 1,
            },
            SearchPhase::Oldest | SearchPhase::Before => {
                if index < self.count && age.is_some_and(|age| age < self.window) {
                    self.low = index + 1;
                } else {
                    (self.high, self.before) = (index, Some(element));
                }
            }
            SearchPhase::Done => {}
        }
        self.advance();
    }

    fn advance(&mut self) {
        match self.phase {
            SearchPhase::Newest if self.low >= self.high => {
                let is_inside = self
                    .newest
                    .and_then(|newest| newest.age(self.now))
                    .is_some_and(|age| age < self.window);
                if !is_inside {
                    self.newest = None;
                    self.phase = SearchPhase::Done;
                    return;
                }
                (self.low, self.high) = (self.high + 1, self.count);
                // The newest admission may be the oldest one, too.
                self.phase = if self.low == self.count {
                    SearchPhase::Before
                } else {
                    SearchPhase::Oldest
                };
            }
            SearchPhase::Oldest => self.phase = SearchPhase::Before,
            SearchPhase::Before if self.before.is_some() && self.low >= self.high => {
                self.phase = SearchPhase::Done;
            }
            _ => {}
        }
    }

    /// Returns the usage that was found.
    #[must_use]
    pub fn usage(&self) -> StoredUsage {
        let (Some(newest), Some(before)) = (self.newest, self.before) else {
            return StoredUsage::exact(0, 0);
        };
        let used = newest.cost_since(&before);
        let age = newest.age(self.now).unwrap_or(0);
        StoredUsage::exact(used, self.window.saturating_sub(age))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Micros = 1_764_000_000_000_000;
    const WINDOW: Micros = 1_000;

    /// A log of admissions with these ages and costs, newest first, and its base.
    fn log(admissions: &[(i64, u64)]) -> Vec<LogElement> {
        let mut sum = SUM_SPAN - 2;
        let mut list = vec![LogElement { time: 0, sum }];
        for (age, cost) in admissions.iter().rev() {
            sum = (sum + cost) % SUM_SPAN;
            let time = NOW.checked_add_signed(-age).unwrap();
            let time = time % TIME_SPAN;
            list.insert(0, LogElement { time, sum });
        }
        list
    }

    /// The usage, and the number of elements that were looked at.
    fn search(list: &[LogElement]) -> (StoredUsage, u32) {
        let mut search = LogSearch::new(list.len() as u64, WINDOW, NOW);
        let mut looks = 0;
        while let Some(index) = search.next() {
            search.feed(list.get(usize::try_from(index).unwrap()).copied());
            looks += 1;
            assert!(looks < 100, "{search:?}");
        }
        (search.usage(), looks)
    }

    #[test]
    fn element_is_read_as_the_script_packs_it() {
        // The element is `pack('>I6I3', time, sum)`.
        let time: u64 = (1 << 47) + 12_345;
        let mut raw = Vec::new();
        raw.extend(&time.to_be_bytes()[2..]);
        raw.extend(&[0, 0, 77]);
        raw.extend(b"marks");
        let read = LogElement::decode(&raw);
        assert_eq!(read, Some(LogElement { time, sum: 77 }));
        assert_eq!(LogElement::decode(&raw[..8]), None);
    }

    #[test]
    fn search_finds_the_sum_inside_the_window() {
        for (admissions, used, reset) in [
            (&[][..], 0, 0),
            (&[(0, 3)], 3, WINDOW),
            (&[(999, 3)], 3, 1),
            (&[(1_000, 3)], 0, 0),
            (&[(10, 1), (999, 2), (1_000, 4)], 3, 990),
            (&[(10, 1), (20, 2), (30, 4)], 7, 990),
            (&[(2_000, 1), (3_000, 2)], 0, 0),
            // The clock has stepped back.
            (&[(-500, 8), (-1, 8), (10, 1), (20, 2)], 3, 990),
            (&[(-500, 8), (-1, 8)], 0, 0),
        ] {
            let (usage, _) = search(&log(admissions));
            assert_eq!(usage, StoredUsage::exact(used, reset), "{admissions:?}");
        }
    }

    #[test]
    fn search_looks_at_few_elements() {
        let admissions: Vec<_> = (0..5_000).map(|age| (age, 1)).collect();
        let (usage, looks) = search(&log(&admissions));
        assert_eq!(usage.used, 1_000);
        assert!(looks < 20, "{looks}");
        let (usage, looks) = search(&log(&admissions[..900]));
        assert_eq!(usage.used, 900);
        assert!(looks <= 3, "{looks}");
    }

    #[test]
    fn search_ends_when_the_list_is_gone() {
        let mut search = LogSearch::new(10, WINDOW, NOW);
        search.feed(None);
        assert_eq!(search.next(), None);
        assert_eq!(search.usage(), StoredUsage::exact(0, 0));
    }
}
