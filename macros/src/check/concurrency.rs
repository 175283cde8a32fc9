//! Checks the numbers of one concurrency limit.

use std::time::Duration;

use actix_throttle_core::limit::{Concurrency, range};

use super::{
    duration::duration,
    report::report,
    value::{Number, flagged, number},
};
use crate::{args::Arguments, errors::Errors, name::ArgName};

/// The numbers of one concurrency limit, valid as far as the macro can evaluate them.
pub(crate) struct ConcurrencySpec {
    pub(crate) max: Number,
    /// The expiry; `None` leaves the default to the runtime.
    pub(crate) expiry: Option<Duration>,
    pub(crate) shadow: bool,
}

impl ConcurrencySpec {
    /// Checks all numbers of an attribute.
    pub(crate) fn check(arguments: &Arguments, errors: &mut Errors) -> Option<Self> {
        if let Some(rate) = &arguments.rate {
            let message = "`concurrency_limit` limits how many requests run at once and takes no \
                rate: write `max = 5`, or put the rate into a `#[rate_limit(...)]`";
            errors.at(rate, message);
        } else if arguments.named(ArgName::Max).is_none() {
            let message =
                "`max` is missing: add `max = 5`, the number of requests that may run at once";
            errors.at(&arguments.anchor, message);
        }
        let valid = Concurrency::new(*range::PERMITS.start());
        let max = number(arguments, ArgName::Max, errors);
        let expiry = duration(arguments, ArgName::Expiry, errors);
        let limits = [
            max.as_ref().and_then(Number::known).map(Concurrency::new),
            expiry.map(|expiry| valid.expiry(expiry)),
        ];
        for limit in limits.into_iter().flatten() {
            if let Err(error) = limit.validate() {
                report(arguments, error, errors);
            }
        }
        let shadow = flagged(arguments, ArgName::Shadow, errors);
        Some(Self {
            max: max?,
            expiry,
            shadow,
        })
    }
}
