//! The slow-down of a rule, by its three words; and what is logged of options that make no sense
//! for a limit that is only known when a request comes.

use std::time::Duration;

use actix_throttle_core::limit::{
    Limit, SlowDown, ValidSlowDown,
    range::{self, NO_SLOW_DOWN, SETTLE_WITH_LEASE},
};

use super::Rule;
use crate::engine::log_throttle::LogThrottle;

static INVALID: LogThrottle = LogThrottle::new(log::Level::Error);

impl Rule {
    /// Sets how much of the limit is used without a delay. Beyond that, each further request is
    /// delayed by [`slow_by`](Self::slow_by) more, [`slow_max`](Self::slow_max) at most, before its
    /// handler runs. The three go together.
    ///
    /// The range is from 1 to one below what the limit admits at once: `times`, or the capacity of
    /// a token bucket. Leaky buckets, leased limits, shadows and concurrency limits have no
    /// slow-down. A
    /// [`Throttle`] rejects what makes no sense; elsewhere, such a rule delays no request, and the
    /// log has an error.
    ///
    /// The limit still denies: the request that finds no room gets 429 at once. A request that
    /// would be the one beyond [`Builder::max_waiting`](crate::Builder::max_waiting) to be delayed
    /// for its counter is denied, too, and is not counted. A client that leaves while it is delayed
    /// makes room for another one, and stays counted.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use actix_throttle::{Limit, Rule};
    ///
    /// // The 51st request in a minute is delayed by 200 ms, the 52nd by 400 ms, the 75th and
    /// // those after it by 5 s. The 101st is denied.
    /// let rule = Rule::new(Limit::per_minute(100).name("api"))
    ///     .slow_after(50)
    ///     .slow_by(Duration::from_millis(200))
    ///     .slow_max(Duration::from_secs(5));
    /// # let _ = rule;
    /// ```
    ///
    /// [`Throttle`]: crate::Throttle
    pub fn slow_after(mut self, used: u32) -> Self {
        self.options.slow_down.after = Some(used);
        self
    }

    /// Sets what each further request adds to the delay: from 1 ms to 1 hour. See
    /// [`slow_after`](Self::slow_after).
    pub fn slow_by(mut self, step: Duration) -> Self {
        self.options.slow_down.by = Some(step);
        self
    }

    /// Sets the longest delay: from [`slow_by`](Self::slow_by) to 1 hour. See
    /// [`slow_after`](Self::slow_after).
    pub fn slow_max(mut self, longest: Duration) -> Self {
        self.options.slow_down.max = Some(longest);
        self
    }

    /// Removes the words, of a rule whose entry is a shadow.
    pub(in crate::http) fn undelayed(mut self) -> Self {
        self.options.slow_down = SlowDown::default();
        self
    }

    /// Sets the words that a configuration has.
    #[cfg(feature = "config")]
    pub(crate) fn slowed_down(mut self, slow_down: SlowDown) -> Self {
        self.options.slow_down = slow_down;
        self
    }
}

/// The slow-down for a limit. `None` if there is none, or if it makes no sense for the limit, with
/// an error in the log.
pub(in crate::http) fn valid_slow_down(
    rule: &Rule,
    slow_down: SlowDown,
    limit: &Limit,
) -> Option<ValidSlowDown> {
    // A rule that is a shadow takes no delay from the limit that it names.
    if rule.shadow && rule.options.slow_down.is_empty() {
        return None;
    }
    match slow_down.check(Some(limit)) {
        Ok(slow_down) => slow_down,
        Err(error) => {
            INVALID.log(format_args!(
                "requests of the limit \"{}\" are not delayed: {error}",
                limit.name_value().unwrap_or(limit.zone_name())
            ));
            None
        }
    }
}

/// Logs the options of a rate that a concurrency limit has.
pub(in crate::http) fn reject_options(slow_down: SlowDown, settle: bool) {
    if !slow_down.is_empty() {
        INVALID.log(format_args!("requests are not delayed: {NO_SLOW_DOWN}"));
    }
    if settle {
        let reason = range::of_concurrency("settle");
        INVALID.log(format_args!("requests are not settled: {reason}"));
    }
}

/// Whether the charges of a limit can be settled as its rule says. If not, the log has an error.
pub(in crate::http) fn valid_settle(settle: bool, limit: &Limit) -> bool {
    if settle && limit.lease_size() > 0 {
        INVALID.log(format_args!(
            "requests of the limit \"{}\" are not settled: {SETTLE_WITH_LEASE}",
            limit.name_value().unwrap_or(limit.zone_name())
        ));
        return false;
    }
    settle
}
