//! Checks the numbers of one concurrency limit.

use std::{ops::RangeInclusive, time::Duration};

use super::{
    duration::{DurationRange, duration},
    value::{Number, flagged, number},
};
use crate::{args::Arguments, errors::Errors, name::ArgName};

const AT_ONCE: RangeInclusive<u64> = 1..=1_000_000;

const EXPIRIES: DurationRange = DurationRange {
    range: Duration::from_millis(100)..=Duration::from_secs(86_400),
    says: "a place expires after 100 milliseconds to 24 hours",
};

/// The numbers of one concurrency limit, valid as far as the macro can evaluate them.
pub(crate) struct ConcurrencySpec {
    pub(crate) max: Number,
    /// `None` leaves the default to the runtime.
    pub(crate) expiry: Option<Duration>,
    pub(crate) shadow: bool,
}

impl ConcurrencySpec {
    /// Checks all numbers of an attribute.
    pub(crate) fn check(arguments: &Arguments, errors: &mut Errors) -> Option<Self> {
        if let Some(rate) = &arguments.rate {
            let message = "`concurrency_limit` counts what runs and takes no rate: \
                write `max = 5`, or put the rate into a `#[rate_limit(...)]`";
            errors.at(rate, message);
        } else if arguments.named(ArgName::Max).is_none() {
            let message = "`max` is missing: add `max = 5`, as many as may run at once";
            errors.at(&arguments.anchor, message);
        }
        let max = number(arguments, ArgName::Max, AT_ONCE, errors);
        let expiry = duration(arguments, ArgName::Expiry, &EXPIRIES, errors);
        let shadow = flagged(arguments, ArgName::Shadow, errors);
        Some(Self {
            max: max?,
            expiry,
            shadow,
        })
    }
}
