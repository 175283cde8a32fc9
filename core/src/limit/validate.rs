//! The checks of a limit's numbers: each alone, and together.

use std::ops::RangeInclusive;

use super::{
    Algorithm, Concurrency, Limit,
    block_lengths::BlockLengths,
    range::{
        EXPIRY_MICROS, LEASE, LimitError, MAX_LOGGED, MAX_STEPS, PERMITS, Reason, TIMES,
        WINDOW_MICROS, is_name,
    },
};
use crate::time::whole_micros;

impl Limit {
    /// Checks that the numbers are in range and make sense together.
    ///
    /// # Errors
    ///
    /// The first invalid setting, with what to write instead.
    #[inline]
    pub const fn validate(&self) -> Result<(), LimitError> {
        match reason(self) {
            Some(reason) => Err(LimitError(reason)),
            None => Ok(()),
        }
    }

    /// Checks that the limit can hold the cost of one request.
    ///
    /// # Errors
    ///
    /// If each request would be denied. This is apart from [`validate`](Self::validate), because a
    /// caller may give another cost with each request.
    #[doc(hidden)]
    #[inline]
    pub const fn validate_cost(&self) -> Result<(), LimitError> {
        if self.cost_value() > self.quota() {
            return Err(LimitError(Reason::Cost));
        }
        Ok(())
    }

    /// Returns the limit if it is valid; in a constant, an invalid limit fails the build.
    ///
    /// ```compile_fail
    /// use actix_throttle::Limit;
    /// const NOTHING: Limit = Limit::per_second(0).expect_valid();
    /// println!("{NOTHING:?}");
    /// ```
    ///
    /// # Panics
    ///
    /// If [`validate`](Self::validate) is an error, or one request costs more than the limit can
    /// ever hold. It is meant for constants, where that is a compile error; otherwise call
    /// `validate`.
    #[allow(clippy::panic, reason = "in a constant this is the compile error")]
    #[track_caller]
    #[inline]
    pub const fn expect_valid(self) -> Self {
        if let Err(error) = self.validate() {
            panic!("{}", error.message());
        }
        if let Err(error) = self.validate_cost() {
            panic!("{}", error.message());
        }
        self
    }
}

impl Concurrency {
    /// Checks that the numbers are in range.
    ///
    /// # Errors
    ///
    /// The first invalid setting, with what to write instead.
    #[inline]
    pub const fn validate(&self) -> Result<(), LimitError> {
        let (name, zone) = self.name_and_zone();
        let reason = if !is_in(self.max() as u64, bounds(&PERMITS)) {
            Some(Reason::Permits)
        } else if !is_in(
            self.expiry_micros(),
            (*EXPIRY_MICROS.start(), *EXPIRY_MICROS.end()),
        ) {
            Some(Reason::Expiry)
        } else {
            reason_of_texts(name, zone)
        };
        match reason {
            Some(reason) => Err(LimitError(reason)),
            None => Ok(()),
        }
    }

    /// Returns the limit if it is valid; in a constant, an invalid limit fails the build.
    ///
    /// ```compile_fail
    /// use actix_throttle::Concurrency;
    /// const NOBODY: Concurrency = Concurrency::new(0).expect_valid();
    /// println!("{NOBODY:?}");
    /// ```
    ///
    /// # Panics
    ///
    /// If [`validate`](Self::validate) is an error. It is meant for constants, where that is a
    /// compile error; otherwise call `validate`.
    #[allow(clippy::panic, reason = "in a constant this is the compile error")]
    #[track_caller]
    #[inline]
    pub const fn expect_valid(self) -> Self {
        if let Err(error) = self.validate() {
            panic!("{}", error.message());
        }
        self
    }
}

/// Returns what is wrong with a limit. Each decision asks, so what few limits have is looked at by
/// functions of its own.
#[inline]
const fn reason(limit: &Limit) -> Option<Reason> {
    if !is_in(limit.times as u64, bounds(&TIMES)) {
        return Some(Reason::Times);
    }
    if !is_in(limit.window, WINDOW) {
        return Some(Reason::Window);
    }
    if (limit.period.is_some() || limit.time_zone.is_some())
        && let Some(reason) = reason_of_calendar(limit)
    {
        return Some(reason);
    }
    if limit.fraction {
        return Some(Reason::WindowFraction);
    }
    let kind = limit.algorithm_value();
    match kind {
        Algorithm::SlidingWindow if limit.times > MAX_LOGGED => return Some(Reason::TimesOfLog),
        Algorithm::TokenBucket | Algorithm::LeakyBucket if limit.times as u64 > limit.window => {
            return Some(Reason::Rate);
        }
        _ => {}
    }
    if (limit.capacity.is_some() || limit.refill.is_some())
        && let Some(reason) = reason_of_bucket(limit, kind)
    {
        return Some(reason);
    }
    if limit.block.is_some()
        && let Some(reason) = reason_of_block(limit)
    {
        return Some(reason);
    }
    if let Some(lease) = limit.lease {
        if !is_in(lease as u64, bounds(&LEASE)) {
            return Some(Reason::Lease);
        }
        if matches!(kind, Algorithm::LeakyBucket) {
            return Some(Reason::LeaseOfOne);
        }
    }
    reason_of_texts(limit.name, limit.zone)
}

/// Checks what only a token bucket has.
const fn reason_of_bucket(limit: &Limit, kind: Algorithm) -> Option<Reason> {
    match (limit.capacity, limit.refill) {
        (None, None) => None,
        (Some(capacity), _) if matches!(kind, Algorithm::TokenBucket) => {
            if is_in(capacity as u64, bounds(&TIMES)) {
                None
            } else {
                Some(Reason::Capacity)
            }
        }
        (None, Some(_)) if matches!(kind, Algorithm::TokenBucket) => None,
        (Some(_), _) => Some(Reason::CapacityOfAnother),
        (None, Some(_)) => Some(Reason::RefillOfAnother),
    }
}

/// Checks the period and its time zone, and that nothing else of a rate is beside them.
const fn reason_of_calendar(limit: &Limit) -> Option<Reason> {
    if limit.period.is_none() {
        return match limit.time_zone {
            Some(_) => Some(Reason::TimeZoneOfAnother),
            None => None,
        };
    }
    if limit.algorithm.is_some() {
        return Some(Reason::AlgorithmOfEvery);
    }
    if limit.capacity.is_some() {
        return Some(Reason::CapacityOfEvery);
    }
    if limit.refill.is_some() {
        return Some(Reason::RefillOfEvery);
    }
    match limit.time_zone {
        Some(zone) if zone.is_unknown() => Some(Reason::TimeZone),
        _ => None,
    }
}

const fn reason_of_block(limit: &Limit) -> Option<Reason> {
    let lengths = match limit.block {
        None => return None,
        Some(BlockLengths::One(length)) => {
            return if is_in(length, WINDOW) {
                None
            } else {
                Some(Reason::Block)
            };
        }
        Some(BlockLengths::Steps(lengths)) => lengths,
    };
    if lengths.is_empty() || lengths.len() > MAX_STEPS {
        return Some(Reason::BlockSteps);
    }
    let (mut at, mut before) = (0, 0);
    while at < lengths.len() {
        let length = whole_micros(lengths[at]);
        if !is_in(length, WINDOW) {
            return Some(Reason::Block);
        }
        if length < before {
            return Some(Reason::BlockOrder);
        }
        before = length;
        at += 1;
    }
    None
}

const WINDOW: (u64, u64) = (*WINDOW_MICROS.start(), *WINDOW_MICROS.end());

#[inline]
const fn bounds(range: &RangeInclusive<u32>) -> (u64, u64) {
    (*range.start() as u64, *range.end() as u64)
}

/// `RangeInclusive::contains`, which is not `const`.
#[inline]
const fn is_in(value: u64, (first, last): (u64, u64)) -> bool {
    first <= value && value <= last
}

#[inline]
const fn reason_of_texts(name: Option<&str>, zone: Option<&str>) -> Option<Reason> {
    if let Some(name) = name
        && !is_name(name)
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_edges_of_the_ranges() {
        let fine = |limit: Concurrency| limit.validate().is_ok();
        assert!(fine(Concurrency::new(1)) && fine(Concurrency::new(1_000_000)));
        assert!(!fine(Concurrency::new(0)) && !fine(Concurrency::new(1_000_001)));
        for (millis, expected) in [
            (99, false),
            (100, true),
            (86_400_000, true),
            (86_400_001, false),
        ] {
            let limit = Concurrency::new(1).expiry(Duration::from_millis(millis));
            assert_eq!(fine(limit), expected, "{millis} ms");
        }
        assert!(!fine(Concurrency::new(1).name("")) && !fine(Concurrency::new(1).name("ä")));
        assert!(!fine(Concurrency::new(1).zone("")));
        let error = Concurrency::new(0).validate().unwrap_err();
        assert_eq!(error.to_string(), "`max` must be from 1 to 1,000,000");
    }
}
