//! The slow-down of a limit: how long requests are delayed once much of the limit is used. The
//! runtime delays; this only computes.

use std::time::Duration;

use super::{
    Algorithm, Limit, LimitError,
    range::{Reason, SLOW, Subject},
};
use crate::time::{Micros, to_micros};

/// The words of a slow-down as they are written, each of which may be missing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SlowDown {
    /// `slow_after`: this much of the limit is used without a delay.
    pub after: Option<u32>,
    /// `slow_by`: the delay that each further use adds.
    pub by: Option<Duration>,
    /// `slow_max`: the longest delay.
    pub max: Option<Duration>,
}

/// A valid slow-down. Times are in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ValidSlowDown {
    after: u32,
    by: Micros,
    max: Micros,
}

impl SlowDown {
    /// Whether no word is written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Returns these words; those of `next` if none is written.
    #[must_use]
    pub fn or(self, next: &Self) -> Self {
        if self.is_empty() { *next } else { self }
    }

    /// Checks the words, and that they make sense for this limit; `None`: it is not known yet.
    /// Returns `None` if no word is written.
    ///
    /// # Errors
    ///
    /// The first invalid word, with what to write instead.
    pub fn check(&self, limit: Option<&Limit>) -> Result<Option<ValidSlowDown>, LimitError> {
        let fail = |reason| Err(LimitError(reason));
        let (after, by, max) = match *self {
            Self {
                after: None,
                by: None,
                max: None,
            } => return Ok(None),
            Self {
                after: Some(after),
                by: Some(by),
                max: Some(max),
            } => (after, by, max),
            Self { after: Some(_), .. } => return fail(Reason::SlowAlone(Subject::SlowAfter)),
            Self { by: Some(_), .. } => return fail(Reason::SlowAlone(Subject::SlowBy)),
            Self { .. } => return fail(Reason::SlowAlone(Subject::SlowMax)),
        };
        if after == 0 {
            return fail(Reason::SlowAfter);
        }
        if !SLOW.contains(&by) {
            return fail(Reason::SlowBy);
        }
        if max < by || !SLOW.contains(&max) {
            return fail(Reason::SlowMax);
        }
        if let Some(reason) = limit.and_then(|limit| reason_of_limit(limit, after)) {
            return fail(reason);
        }
        Ok(Some(ValidSlowDown {
            after,
            by: to_micros(by),
            max: to_micros(max),
        }))
    }
}

impl SlowDown {
    /// Checks the words for a limit of an entry. An entry that is a shadow as a whole is tried out
    /// before it takes force, so its limits keep their words.
    ///
    /// # Errors
    ///
    /// The first invalid word, with what to write instead.
    pub fn check_in(&self, is_shadow: bool, limit: &Limit) -> Result<(), LimitError> {
        match self.check(Some(limit)) {
            Err(LimitError(Reason::SlowOfShadow)) if is_shadow => Ok(()),
            checked => checked.map(|_| ()),
        }
    }
}

impl Limit {
    /// Checks `slow_after` with this limit at compile time; `None`: it is not known. For macro
    /// output, whose numbers may be expressions that only the compiler can evaluate.
    ///
    /// # Panics
    ///
    /// If it makes no sense for the limit.
    #[doc(hidden)]
    #[allow(clippy::panic, reason = "in a constant this is the compile error")]
    #[track_caller]
    pub const fn expect_slow_after(limit: Option<&Self>, after: u32) {
        let reason = match limit {
            _ if after == 0 => Some(Reason::SlowAfter),
            Some(limit) => reason_of_limit(limit, after),
            None => None,
        };
        if let Some(reason) = reason {
            panic!("{}", LimitError(reason).message());
        }
    }
}

/// Returns why `slow_after` makes no sense for this limit.
const fn reason_of_limit(limit: &Limit, after: u32) -> Option<Reason> {
    if matches!(limit.algorithm_value(), Algorithm::LeakyBucket) {
        return Some(Reason::SlowOfLeaky);
    }
    if limit.lease_size() > 0 {
        return Some(Reason::SlowOfLease);
    }
    if after >= limit.quota() {
        return Some(Reason::SlowAfter);
    }
    // The last one: see `check_in`.
    if limit.is_shadow() {
        return Some(Reason::SlowOfShadow);
    }
    None
}

impl ValidSlowDown {
    /// Returns the delay of a request after which this much of the limit is used, in microseconds.
    #[must_use]
    pub fn delay(&self, used: u32) -> Micros {
        let steps = u64::from(used.saturating_sub(self.after));
        steps.saturating_mul(self.by).min(self.max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn words(after: u32, by: Duration, max: Duration) -> SlowDown {
        SlowDown {
            after: Some(after),
            by: Some(by),
            max: Some(max),
        }
    }

    #[test]
    fn delay_grows_by_steps_up_to_its_maximum() {
        let words = words(50, 200 * MS, 5_000 * MS);
        let slow = words.check(Some(&Limit::per_minute(100)));
        let slow = slow.expect("valid").expect("written");
        for (used, millis) in [
            (0, 0),
            (50, 0),
            (51, 200),
            (52, 400),
            (74, 4_800),
            (75, 5_000),
            (76, 5_000),
            (u32::MAX, 5_000),
        ] {
            assert_eq!(slow.delay(used), millis * 1_000, "{used}");
        }
    }

    #[test]
    fn each_nonsense_names_its_word() {
        let ten = Limit::per_minute(10);
        let hour = Duration::from_secs(60 * 60);
        let right = words(5, MS, 2 * MS);
        let leaky = ten.algorithm(Algorithm::LeakyBucket);
        let bucket = ten.algorithm(Algorithm::TokenBucket).capacity(6);
        for (slow, limit, expected) in [
            (SlowDown { by: None, ..right }, ten, Subject::SlowAfter),
            (SlowDown { max: None, ..right }, ten, Subject::SlowAfter),
            (
                SlowDown {
                    after: None,
                    ..right
                },
                ten,
                Subject::SlowBy,
            ),
            (
                SlowDown {
                    max: Some(MS),
                    ..SlowDown::default()
                },
                ten,
                Subject::SlowMax,
            ),
            (words(0, MS, MS), ten, Subject::SlowAfter),
            (words(10, MS, MS), ten, Subject::SlowAfter),
            (words(6, MS, MS), bucket, Subject::SlowAfter),
            (
                words(5, MS - Duration::from_nanos(1), MS),
                ten,
                Subject::SlowBy,
            ),
            (words(5, hour + MS, hour + MS), ten, Subject::SlowBy),
            (words(5, 2 * MS, MS), ten, Subject::SlowMax),
            (words(5, MS, hour + MS), ten, Subject::SlowMax),
            (right, leaky, Subject::SlowAfter),
            (right, ten.lease(2), Subject::Lease),
            (right, ten.shadow(), Subject::SlowAfter),
        ] {
            let error = slow.check(Some(&limit)).expect_err("nonsense");
            assert_eq!(error.subject(), expected, "{error}");
        }
        for (slow, limit) in [
            (words(9, MS, MS), ten),
            (words(5, hour, hour), bucket),
            (SlowDown::default(), leaky.lease(2)),
        ] {
            assert!(slow.check(Some(&limit)).is_ok(), "{slow:?}");
        }
        assert!(
            words(1_000, MS, MS).check(None).is_ok(),
            "no limit is known"
        );
    }
}
