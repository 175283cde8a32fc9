//! The admissions in a window: sliding, fixed, of the calendar, or weighted.

use super::{Calendar, Model, Rational, ratio, whole};

impl Model {
    /// The cost that was admitted later than `after`.
    pub(super) fn taken_after(&self, after: i128) -> u64 {
        let late = self.admissions.iter().filter(|(at, _)| *at as i128 > after);
        late.map(|(_, cost)| cost).sum()
    }

    /// The cost that was admitted in the current window. A window opens with the first admission
    /// after the end of the last window.
    pub(super) fn taken_in_fixed(&self, now: u64) -> u64 {
        let mut open: Option<(u64, u64)> = None;
        for (at, cost) in &self.admissions {
            open = match open {
                Some((start, taken)) if at - start < self.numbers.window => {
                    Some((start, taken + cost))
                }
                _ => Some((*at, *cost)),
            };
        }
        match open {
            Some((start, taken)) if now - start < self.numbers.window => taken,
            _ => 0,
        }
    }

    /// The cost that was admitted in the period of the calendar that contains `now`.
    pub(super) fn taken_in_period(&self, calendar: &Calendar, now: u64) -> u64 {
        let label = calendar.label(now);
        let latest = self.admissions.iter().rev();
        let inside = latest.take_while(|(at, _)| calendar.label(*at) == label);
        inside.map(|(_, cost)| cost).sum()
    }

    /// previous × (1 − elapsed / W) + current.
    pub(super) fn weighted(&self, now: u64) -> Rational {
        let window = self.numbers.window;
        let taken_in = |index: u64| -> u64 {
            let inside = self
                .admissions
                .iter()
                .filter(|(at, _)| at / window == index);
            inside.map(|(_, cost)| cost).sum()
        };
        let index = now / window;
        let weight = whole(1) - ratio(now % window, window);
        whole(taken_in(index - 1)) * weight + whole(taken_in(index))
    }
}
