//! The public type [`Period`], with its names in attributes and configurations.

use std::fmt;

use jiff::{ToSpan, civil::Date};

use crate::{text::word::Word, time::Micros};

const HOUR: Micros = 3_600_000_000;

/// A period of the calendar, by which [`Limit::every`](crate::limit::Limit::every) counts.
///
/// The attribute uses the lower-case names: `every = "month"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Period {
    /// An hour of the clock, from minute 0 to minute 0.
    Hour,
    /// A day from midnight to midnight: 23 or 25 hours if a clock change lies in it.
    Day,
    /// A week from Monday's midnight on.
    Week,
    /// A month from its first day on.
    Month,
    /// A year from the first of January on.
    Year,
}

impl Period {
    /// Returns the name that the attribute uses.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Year => "year",
        }
    }

    /// The length of the longest such period in UTC, in microseconds.
    pub(crate) const fn longest(self) -> Micros {
        match self {
            Self::Hour => HOUR,
            Self::Day => 24 * HOUR,
            Self::Week => 7 * 24 * HOUR,
            Self::Month => 31 * 24 * HOUR,
            Self::Year => 366 * 24 * HOUR,
        }
    }

    /// Whether all such periods of UTC have one length.
    pub(crate) const fn is_even(self) -> bool {
        matches!(self, Self::Hour | Self::Day | Self::Week)
    }

    /// Returns how far one end of a period can lie from the same end in another time zone, in
    /// microseconds: offsets from UTC are from −12 to +14 hours. An hour moves by less than itself.
    #[doc(hidden)]
    #[must_use]
    pub const fn zone_spread(self) -> Micros {
        match self {
            Self::Hour => HOUR,
            Self::Day | Self::Week | Self::Month | Self::Year => 26 * HOUR,
        }
    }

    /// The first day of the period that contains this day. For an hour, the day itself.
    pub(super) fn first_day(self, day: Date) -> Date {
        match self {
            Self::Hour | Self::Day => day,
            Self::Week => {
                let since_monday = i64::from(day.weekday().to_monday_zero_offset());
                day.saturating_sub(since_monday.days())
            }
            Self::Month => day.first_of_month(),
            Self::Year => day.first_of_year(),
        }
    }

    /// The first day of the period after the one that begins on this day.
    pub(super) fn after(self, first_day: Date) -> Date {
        first_day.saturating_add(match self {
            Self::Hour | Self::Day => 1.day(),
            Self::Week => 1.week(),
            Self::Month => 1.month(),
            Self::Year => 1.year(),
        })
    }
}

impl Word for Period {
    const ALL: &'static [Self] = &[Self::Hour, Self::Day, Self::Week, Self::Month, Self::Year];
    const NOUN: Option<&'static str> = Some("period");

    fn as_str(self) -> &'static str {
        Self::as_str(self)
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
