//! Limits that count by the calendar.

use std::time::Duration;

use super::Limit;
use crate::{
    calendar::{Boundaries, Period, TimeZone},
    time::Micros,
};

impl Limit {
    /// Creates a limit of `times` admissions in each period of the calendar: all of them may come
    /// at once, and at the period's end the whole quota is there again.
    ///
    /// It takes neither an algorithm nor a capacity or refill. Days begin at midnight of UTC, or of
    /// another [time zone](Self::time_zone); weeks begin on Monday. The store's clock says which
    /// period it is, so all processes agree.
    ///
    /// ```
    /// use actix_throttle::{Limit, Period};
    ///
    /// const PLAN: Limit = Limit::every(Period::Month, 10_000).name("plan").expect_valid();
    /// assert_eq!(PLAN.period(), Some(Period::Month));
    /// ```
    pub const fn every(period: Period, times: u32) -> Self {
        let mut limit = Self::new(times, Duration::from_micros(period.longest()));
        limit.period = Some(period);
        limit
    }

    /// Sets the time zone in which the periods of [`every`](Self::every) begin, by its name in the
    /// IANA database. Default: `UTC`. Every other zone needs the feature `time-zones`.
    ///
    /// A limit whose zone is changed keeps what was used in the period that contains now.
    ///
    /// ```
    /// use actix_throttle::{Limit, Period};
    ///
    /// let plan = Limit::every(Period::Day, 100).time_zone("Europe/Berlin");
    /// # #[cfg(feature = "time-zones")]
    /// assert!(plan.validate().is_ok());
    /// assert!(Limit::every(Period::Day, 100).time_zone("Europe/Berln").validate().is_err());
    /// ```
    pub const fn time_zone(mut self, name: &str) -> Self {
        self.time_zone = Some(TimeZone::of_name(name));
        self
    }

    /// Returns the period of the calendar; `None` for a limit with a window.
    #[must_use]
    pub const fn period(&self) -> Option<Period> {
        self.period
    }

    /// Returns the name of the time zone in which the periods of [`every`](Self::every) begin;
    /// `None` for a limit with a window.
    ///
    /// ```
    /// use actix_throttle::{Limit, Period};
    ///
    /// assert_eq!(Limit::every(Period::Day, 100).time_zone_name(), Some("UTC"));
    /// ```
    #[must_use]
    pub fn time_zone_name(&self) -> Option<&'static str> {
        self.period?;
        Some(self.zone_of_periods().name())
    }

    /// Returns the period with its time zone; `None` for a limit with a window.
    #[doc(hidden)]
    #[must_use]
    #[inline]
    pub fn calendar(&self) -> Option<(Period, TimeZone)> {
        Some((self.period?, self.zone_of_periods()))
    }

    /// Returns the period that contains `now`; all of time for a limit with a window.
    #[doc(hidden)]
    #[must_use]
    #[inline]
    pub fn period_at(&self, now: Micros) -> Boundaries {
        match self.calendar() {
            Some((period, zone)) => Boundaries::around(period, zone, now),
            None => Boundaries {
                previous: 0,
                start: 0,
                end: Micros::MAX,
                next_end: Micros::MAX,
            },
        }
    }

    /// Returns the time for which a state is kept after its reset, in microseconds, in addition to
    /// the time for which all states are kept. A period may end later once the limit has another
    /// time zone.
    #[doc(hidden)]
    #[must_use]
    #[inline]
    pub const fn kept_after_reset(&self) -> Micros {
        match self.period {
            Some(period) => period.zone_spread(),
            None => 0,
        }
    }

    /// Returns whether every window of this limit has the length that [`window`](Self::window)
    /// says. Months differ in length, and so do days with a clock change.
    #[doc(hidden)]
    #[must_use]
    pub fn has_even_windows(&self) -> bool {
        match self.calendar() {
            Some((period, zone)) => period.is_even() && zone == TimeZone::UTC,
            None => true,
        }
    }

    #[inline]
    fn zone_of_periods(&self) -> TimeZone {
        self.time_zone.unwrap_or(TimeZone::UTC)
    }
}
