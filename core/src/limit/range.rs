//! The valid ranges of limits, and the error of a limit outside of them. The attribute, the
//! configuration file and the `validate` functions of the public types use them.

use std::{fmt, ops::RangeInclusive, time::Duration};

use crate::calendar::TimeZone;

/// The range of a window and of a block, in microseconds.
pub const WINDOW_MICROS: RangeInclusive<u64> = 1_000..=366 * 24 * 60 * 60 * 1_000_000;
/// The error of `times` without a window.
pub const WINDOW_MISSING: &str = "the window is missing: add `seconds = 60`, or `milliseconds`, \
     `minutes`, `hours`, `days`, or `every = \"day\"`";
/// The range of `times` and `capacity`.
pub const TIMES: RangeInclusive<u32> = 1..=1_000_000_000;
/// The error of `settle` together with `lease`.
pub const SETTLE_WITH_LEASE: &str = "`settle` corrects the charge of each request, and `lease` charges many at once; leave \
     one of the two out";
/// The error of `settle` where no handler follows on the decision.
pub const SETTLE_WITHOUT_HANDLER: &str = "`settle` lets a handler correct its own charge, and no \
     handler gets this one: leave `settle` out, or charge by `RateLimiter::acquire`, whose permit \
     settles";
/// The range of `lease`. A lease of 1 would ask Redis for each request, as a limit without a lease
/// does.
pub const LEASE: RangeInclusive<u32> = 2..=1_000_000_000;
/// The largest number of a block's lengths. The script packs each into six bytes.
pub const MAX_STEPS: usize = 16;
/// The largest `times` of an exact log: it holds one entry for each admission, and its running sum
/// fits in three bytes.
pub const MAX_LOGGED: u32 = 1_000_000;
/// The range of the permits of a concurrency limit: each is an entry of a sorted set.
pub const PERMITS: RangeInclusive<u32> = 1..=1_000_000;
/// The range of a permit's expiry, in microseconds. With a shorter one, a process that the
/// scheduler delays would lose its permit.
pub const EXPIRY_MICROS: RangeInclusive<u64> = 100_000..=24 * 60 * 60 * 1_000_000;
/// The range of the time for which a request may wait.
pub const MAX_WAIT: RangeInclusive<Duration> =
    Duration::from_millis(1)..=Duration::from_secs(24 * 60 * 60);

/// The range of `slow_by` and of `slow_max`. A client that is delayed for longer has left.
pub const SLOW: RangeInclusive<Duration> = Duration::from_millis(1)..=Duration::from_secs(60 * 60);

/// The reason why a concurrency limit has no slow-down.
pub const NO_SLOW_DOWN: &str = "`slow_after` counts the requests of a window: remove it from a \
                                concurrency limit";

/// Says that an option makes no sense for a group without a limit.
#[must_use]
pub fn of_unlimited(option: &str) -> String {
    format!("`unlimited` has no use for `{option}`: remove it")
}

/// Says that an option of a rate makes no sense for a concurrency limit.
#[must_use]
pub fn of_concurrency(option: &str) -> String {
    format!("`{option}` belongs to a rate: remove it from a concurrency limit")
}

/// The rule for a limit's name: it becomes a structured-field string (RFC 9651, section 3.3.3).
pub const NAME_RULE: &str =
    "`name` goes into a header: write printable ASCII characters, at least one";

/// Returns whether the text can be the name of a limit.
pub const fn is_name(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] < 0x20 || bytes[at] > 0x7e {
            return false;
        }
        at += 1;
    }
    !bytes.is_empty()
}

/// Checks how long a request may wait.
///
/// # Errors
///
/// If it is out of range: what to write instead.
pub fn check_max_wait(max_wait: Duration) -> Result<(), &'static str> {
    if MAX_WAIT.contains(&max_wait) {
        Ok(())
    } else {
        Err("`max_wait` must be from 1 millisecond to 24 hours; leave it out to deny at once")
    }
}

/// The error of a limit whose numbers are out of range or do not fit together.
///
/// Its message says which number is invalid, and what to write instead.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct LimitError(pub(super) Reason);

/// The setting that an error is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    Times,
    Window,
    TimeZone,
    Algorithm,
    Capacity,
    Refill,
    Cost,
    Block,
    Lease,
    Max,
    Expiry,
    Name,
    Zone,
    SlowAfter,
    SlowBy,
    SlowMax,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    Times,
    TimesOfLog,
    Window,
    WindowFraction,
    TimeZone,
    TimeZoneOfAnother,
    AlgorithmOfEvery,
    CapacityOfEvery,
    RefillOfEvery,
    Capacity,
    CapacityOfAnother,
    RefillOfAnother,
    Rate,
    Cost,
    Block,
    BlockSteps,
    BlockOrder,
    Lease,
    LeaseOfOne,
    Permits,
    Expiry,
    Name,
    Zone,
    /// Only some of the words of a slow-down are written, this one among them.
    SlowAlone(Subject),
    SlowAfter,
    SlowBy,
    SlowMax,
    SlowOfLeaky,
    SlowOfLease,
    SlowOfShadow,
}

impl LimitError {
    /// Returns the setting to change.
    #[doc(hidden)]
    #[must_use]
    pub const fn subject(self) -> Subject {
        match self.0 {
            Reason::Times | Reason::TimesOfLog | Reason::Rate => Subject::Times,
            Reason::Window | Reason::WindowFraction => Subject::Window,
            Reason::TimeZone | Reason::TimeZoneOfAnother => Subject::TimeZone,
            Reason::AlgorithmOfEvery => Subject::Algorithm,
            Reason::Capacity | Reason::CapacityOfAnother | Reason::CapacityOfEvery => {
                Subject::Capacity
            }
            Reason::RefillOfAnother | Reason::RefillOfEvery => Subject::Refill,
            Reason::Cost => Subject::Cost,
            Reason::Block | Reason::BlockSteps | Reason::BlockOrder => Subject::Block,
            Reason::Lease | Reason::LeaseOfOne => Subject::Lease,
            Reason::Permits => Subject::Max,
            Reason::Expiry => Subject::Expiry,
            Reason::Name => Subject::Name,
            Reason::Zone => Subject::Zone,
            Reason::SlowAlone(subject) => subject,
            Reason::SlowAfter | Reason::SlowOfLeaky | Reason::SlowOfShadow => Subject::SlowAfter,
            Reason::SlowBy => Subject::SlowBy,
            Reason::SlowMax => Subject::SlowMax,
            Reason::SlowOfLease => Subject::Lease,
        }
    }

    pub(super) const fn message(self) -> &'static str {
        match self.0 {
            Reason::Times => "`times` must be from 1 to 1,000,000,000",
            Reason::TimesOfLog => {
                "`sliding_window` keeps a log and takes at most 1,000,000 `times`; \
                 use `sliding_window_counter` or `fixed_window` for more"
            }
            Reason::Window => "the window must be from 1 millisecond to 366 days",
            Reason::WindowFraction => "the window must be a whole number of microseconds",
            Reason::TimeZone => TimeZone::UNKNOWN_MESSAGE,
            Reason::TimeZoneOfAnother => {
                "`time_zone` belongs to `every`: add `every = \"day\"`, or leave it out"
            }
            Reason::AlgorithmOfEvery => {
                "`every` counts by the calendar and takes no `algorithm`: remove it, \
                 or write a window, `seconds = 60`"
            }
            Reason::CapacityOfEvery | Reason::RefillOfEvery => {
                "`every` counts by the calendar and takes no `capacity` and no `refill`: \
                 remove them"
            }
            Reason::Capacity => "`capacity` must be from 1 to 1,000,000,000",
            Reason::CapacityOfAnother | Reason::RefillOfAnother => {
                "`capacity` and `refill` belong to `token_bucket`; \
                 set that algorithm or leave them out"
            }
            Reason::Rate => {
                "a bucket gains at most one token a microsecond; \
                 lower `times` or widen the window"
            }
            Reason::Cost => {
                "`cost` is more than this limit can ever hold, so each request would be denied; \
                 lower it or raise the limit"
            }
            Reason::Block => "`block` must be from 1 millisecond to 366 days",
            Reason::BlockSteps => "`block` takes 1 to 16 lengths, `\"1m, 10m, 1h\"`",
            Reason::BlockOrder => {
                "no length of `block` may be shorter than the one before it: \
                 write `\"1m, 10m, 1h\"`"
            }
            Reason::Lease => {
                "`lease` must be from 2 to 1,000,000,000; \
                 leave it out for each request to ask Redis"
            }
            Reason::LeaseOfOne => {
                "`leaky_bucket` never has more than one to lease; \
                 set another algorithm or leave `lease` out"
            }
            Reason::Permits => "`max` must be from 1 to 1,000,000",
            Reason::Expiry => "`expiry` must be from 100 milliseconds to 24 hours",
            Reason::Name => NAME_RULE,
            Reason::Zone => "a limit's zone must not be empty",
            Reason::SlowAlone(_) => {
                "`slow_after`, `slow_by` and `slow_max` go together: write \
                 `slow_after = 50, slow_by = \"200ms\", slow_max = \"5s\"`"
            }
            Reason::SlowAfter => {
                "`slow_after` must be at least 1 and below what the limit admits at once: `times`, \
                 or the `capacity` of a token bucket"
            }
            Reason::SlowBy => "`slow_by` must be from 1 millisecond to 1 hour",
            Reason::SlowMax => "`slow_max` must be from `slow_by` to 1 hour",
            Reason::SlowOfLeaky => {
                "`leaky_bucket` spaces requests by itself and takes no `slow_after`: \
                 use `max_wait`, or another algorithm"
            }
            Reason::SlowOfLease => {
                "with `lease`, the exact use is not known, by which `slow_after` delays: \
                 leave one of the two out"
            }
            Reason::SlowOfShadow => {
                "a `shadow` holds no request up, and `slow_after` delays some: \
                 leave one of the two out"
            }
        }
    }
}

crate::debug_is_message!(LimitError);

impl fmt::Display for LimitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

impl std::error::Error for LimitError {}
