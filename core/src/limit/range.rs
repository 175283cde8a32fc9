//! The valid ranges of limits, and the error of a limit outside of them. The `validate` functions
//! of the public types call this.

use std::{fmt, time::Duration};

use super::{Algorithm, Concurrency, Limit};

pub(crate) const MIN_WINDOW: u64 = 1_000;
pub(crate) const MAX_WINDOW: u64 = 366 * 24 * 60 * 60 * 1_000_000;
pub(crate) const MAX_TIMES: u32 = 1_000_000_000;
/// A lease of 1 would ask Redis for each request, as a limit without a lease does.
pub(crate) const MIN_LEASE: u32 = 2;
/// The log holds one entry for each admission, and its running sum fits in three bytes.
pub(crate) const MAX_LOGGED: u32 = 1_000_000;
/// Each permit is an entry of a sorted set.
pub(crate) const MAX_AT_ONCE: u32 = 1_000_000;
/// With a shorter expiry, a holder that the scheduler delays would lose its permit.
pub(crate) const MIN_EXPIRY: u64 = 100_000;
pub(crate) const MAX_EXPIRY: u64 = 24 * 60 * 60 * 1_000_000;

/// The error of a limit whose numbers are out of range or do not fit together.
///
/// Its message says which number is invalid, and what to write instead.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct LimitError(Reason);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reason {
    Times,
    TimesOfLog,
    Window,
    WindowFraction,
    Capacity,
    NotABucket,
    Rate,
    Block,
    Lease,
    LeaseOfOne,
    AtOnce,
    Expiry,
    Name,
    Zone,
}

impl LimitError {
    pub(super) const fn message(self) -> &'static str {
        match self.0 {
            Reason::Times => "`times` must be from 1 to 1,000,000,000",
            Reason::TimesOfLog => {
                "`sliding_window` keeps a log and takes at most 1,000,000 `times`; \
                 use `sliding_window_counter` or `fixed_window` for more"
            }
            Reason::Window => "the window must be from 1 millisecond to 366 days",
            Reason::WindowFraction => "the window must be a whole number of microseconds",
            Reason::Capacity => "`capacity` must be from 1 to 1,000,000,000",
            Reason::NotABucket => {
                "`capacity` and `refill` belong to `token_bucket`; \
                 set that algorithm or leave them out"
            }
            Reason::Rate => {
                "a bucket gains at most one token a microsecond; \
                 lower `times` or widen the window"
            }
            Reason::Block => "`block` must be from 1 millisecond to 366 days",
            Reason::Lease => {
                "`lease` must be from 2 to 1,000,000,000; \
                 leave it out for each request to ask the server"
            }
            Reason::LeaseOfOne => {
                "`leaky_bucket` never has more than one to lease; \
                 set another algorithm or leave `lease` out"
            }
            Reason::AtOnce => "`max` must be from 1 to 1,000,000",
            Reason::Expiry => "`expiry` must be from 100 milliseconds to 24 hours",
            Reason::Name => "a limit's name must be printable ASCII and not empty",
            Reason::Zone => "a limit's zone must not be empty",
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

/// Converts to whole microseconds, cut to at most `u64::MAX`, which is far above every valid range.
#[allow(clippy::cast_possible_truncation, reason = "compared first")]
pub(super) const fn micros(duration: Duration) -> u64 {
    let micros = duration.as_micros();
    if micros > u64::MAX as u128 {
        u64::MAX
    } else {
        micros as u64
    }
}

pub(super) const fn validate(limit: &Limit) -> Result<(), LimitError> {
    match reason(limit) {
        Some(reason) => Err(LimitError(reason)),
        None => Ok(()),
    }
}

const fn reason(limit: &Limit) -> Option<Reason> {
    let window = limit.window;
    let bucket = matches!(
        limit.kind(),
        Algorithm::TokenBucket | Algorithm::LeakyBucket
    );
    if limit.times == 0 || limit.times > MAX_TIMES {
        return Some(Reason::Times);
    }
    if window < MIN_WINDOW || window > MAX_WINDOW {
        return Some(Reason::Window);
    }
    if limit.fraction {
        return Some(Reason::WindowFraction);
    }
    if matches!(limit.kind(), Algorithm::SlidingWindow) && limit.times > MAX_LOGGED {
        return Some(Reason::TimesOfLog);
    }
    if bucket && limit.times as u64 > window {
        return Some(Reason::Rate);
    }
    if !matches!(limit.kind(), Algorithm::TokenBucket)
        && (limit.capacity.is_some() || limit.refill.is_some())
    {
        return Some(Reason::NotABucket);
    }
    if let Some(capacity) = limit.capacity
        && (capacity == 0 || capacity > MAX_TIMES)
    {
        return Some(Reason::Capacity);
    }
    if let Some(block) = limit.block
        && (block < MIN_WINDOW || block > MAX_WINDOW)
    {
        return Some(Reason::Block);
    }
    if let Some(lease) = limit.lease {
        if lease < MIN_LEASE || lease > MAX_TIMES {
            return Some(Reason::Lease);
        }
        if matches!(limit.kind(), Algorithm::LeakyBucket) {
            return Some(Reason::LeaseOfOne);
        }
    }
    reason_of_texts(limit.name, limit.zone)
}

pub(super) const fn validate_concurrency(limit: &Concurrency) -> Result<(), LimitError> {
    let expiry = limit.expiry_micros();
    if limit.max() == 0 || limit.max() > MAX_AT_ONCE {
        return Err(LimitError(Reason::AtOnce));
    }
    if expiry < MIN_EXPIRY || expiry > MAX_EXPIRY {
        return Err(LimitError(Reason::Expiry));
    }
    let (name, zone) = limit.texts();
    match reason_of_texts(name, zone) {
        Some(reason) => Err(LimitError(reason)),
        None => Ok(()),
    }
}

const fn reason_of_texts(name: Option<&str>, zone: Option<&str>) -> Option<Reason> {
    if let Some(name) = name
        && !is_printable(name)
    {
        return Some(Reason::Name);
    }
    if let Some(zone) = zone
        && zone.is_empty()
    {
        return Some(Reason::Zone);
    }
    None
}

/// A name becomes a structured-field string (RFC 9651, section 3.3.3), which holds printable ASCII
/// only.
const fn is_printable(text: &str) -> bool {
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
