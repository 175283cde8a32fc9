//! Checks the numbers of one rate limit.

use std::time::Duration;

use actix_throttle_core::limit::{Algorithm, Limit, Refill, range};
use quote::ToTokens;
use syn::LitStr;

use super::{
    duration::durations,
    report::report,
    value::{Number, flagged, number, word},
    window::{Window, time_zone},
};
use crate::{args::Arguments, errors::Errors, name::ArgName};

/// The numbers of one limit, valid as far as the macro can evaluate them.
pub(crate) struct WrittenLimit {
    pub(crate) times: Number,
    pub(crate) window: Window,
    pub(crate) time_zone: Option<LitStr>,
    /// The algorithm; `None` for a limit by the calendar, which has none.
    pub(crate) algorithm: Option<Algorithm>,
    pub(crate) refill: Option<Refill>,
    pub(crate) capacity: Option<Number>,
    pub(crate) cost: Option<Number>,
    pub(crate) block: Option<Vec<Duration>>,
    pub(crate) lease: Option<Number>,
    pub(crate) shadow: bool,
}

/// The limit that an attribute builds, as far as its arguments are checked. Expressions that only
/// the compiler can evaluate count as a valid number.
struct PartialLimit<'a> {
    arguments: &'a Arguments,
    limit: Limit,
}

impl WrittenLimit {
    /// Checks all numbers of an attribute. `cost` is `None` if it is absent or a function.
    pub(crate) fn check(
        arguments: &Arguments,
        cost: Option<Number>,
        errors: &mut Errors,
    ) -> Option<Self> {
        let (times, window) = times_and_window(arguments, errors);
        let every = window.as_ref().and_then(|window| window.every);
        let is_calendar = arguments.named(ArgName::Every).is_some();
        let algorithm = match arguments.named(ArgName::Algorithm) {
            Some(_) => word(arguments, ArgName::Algorithm, errors),
            None => (!is_calendar).then(Algorithm::default),
        };
        let mut partial = PartialLimit {
            arguments,
            limit: Limit::per_minute(1).algorithm(Algorithm::FixedWindow),
        };
        let has_rate = partial.add_rate(times.as_ref(), window.as_ref(), errors);
        let has_algorithm = match algorithm {
            Some(it) if has_rate => partial.add(|limit| limit.algorithm(it), errors),
            Some(_) => false,
            None => is_calendar && arguments.named(ArgName::Algorithm).is_none(),
        };
        let is_valid = has_rate && has_algorithm;
        if !is_valid {
            // A misspelt algorithm may be any: `token_bucket` takes all other arguments.
            let algorithm = algorithm.unwrap_or(Algorithm::TokenBucket);
            partial.limit = match every {
                Some(period) => Limit::every(period, 1_000),
                None => Limit::per_minute(1_000).algorithm(algorithm),
            };
        }
        let time_zone = time_zone(arguments, errors);
        // A misspelt period is one all the same.
        if let (Some(zone), true) = (&time_zone, every.is_some() || !is_calendar) {
            partial.add(|limit| limit.time_zone(&zone.value()), errors);
        }

        let capacity = number(arguments, ArgName::Capacity, errors);
        let has_capacity = capacity.as_ref().is_some_and(|capacity| {
            let capacity = capacity.or(*range::TIMES.start());
            partial.add(|limit| limit.capacity(capacity), errors)
        });
        let refill = word(arguments, ArgName::Refill, errors);
        if let Some(refill) = refill {
            partial.add(|limit| limit.refill(refill), errors);
        }
        let block = durations(arguments, ArgName::Block, errors);
        if let Some(block) = &block {
            partial.add(|limit| limit.blocks(block), errors);
        }
        let lease = number(arguments, ArgName::Lease, errors);
        if let Some(lease) = &lease {
            let lease = lease.or(*range::LEASE.start());
            partial.add(|limit| limit.lease(lease), errors);
        }
        let shadow = flagged(arguments, ArgName::Shadow, errors);

        if !is_valid {
            return None;
        }
        let (times, window) = (times?, window?);
        let quota = match arguments.named(ArgName::Capacity) {
            None => times.known(),
            Some(_) if has_capacity => capacity.as_ref().and_then(Number::known),
            Some(_) => None,
        };
        if let (Some(cost), Some(_)) = (cost.as_ref().and_then(Number::known), quota)
            && let Err(error) = partial.limit.cost(cost).validate_cost()
        {
            report(arguments, error, errors);
        }
        Some(Self {
            times,
            window,
            time_zone,
            algorithm,
            refill,
            capacity,
            cost,
            block,
            lease,
            shadow,
        })
    }

    /// Returns a limit that charges the counter of this limit if it has this window.
    pub(crate) fn with_window(&self, micros: u64) -> Limit {
        let limit = match self.window.every {
            Some(period) => Limit::every(period, 1),
            None => Limit::new(1, Duration::from_micros(micros))
                .algorithm(self.algorithm.unwrap_or_default())
                .refill(self.refill.unwrap_or_default()),
        };
        if self.shadow { limit.shadow() } else { limit }
    }
}

impl PartialLimit<'_> {
    /// Adds what is valid together with the settings before it; else reports it. Returns whether it
    /// was added.
    fn add(&mut self, add: impl Fn(Limit) -> Limit, errors: &mut Errors) -> bool {
        let candidate = add(self.limit);
        match candidate.validate() {
            Ok(()) => self.limit = candidate,
            Err(error) => report(self.arguments, error, errors),
        }
        self.limit == candidate
    }

    /// Adds times and window under an algorithm that takes any times, so that both can be reported.
    fn add_rate(
        &mut self,
        times: Option<&Number>,
        window: Option<&Window>,
        errors: &mut Errors,
    ) -> bool {
        let make = |times, window: &Window| match window.every {
            Some(period) => Limit::every(period, times),
            None => {
                let longest = *range::WINDOW_MICROS.end();
                let window = Duration::from_micros(window.known_micros().unwrap_or(longest));
                Limit::new(times, window).algorithm(Algorithm::FixedWindow)
            }
        };
        let window_is_valid = window.is_some_and(|window| self.add(|_| make(1, window), errors));
        let times_are_valid = times.is_some_and(|times| {
            let times = times.or(*range::TIMES.start());
            let valid = window.filter(|_| window_is_valid);
            self.add(
                |limit| match valid {
                    Some(window) => make(times, window),
                    None => Limit::new(times, limit.window()).algorithm(Algorithm::FixedWindow),
                },
                errors,
            )
        });
        window_is_valid && times_are_valid
    }
}

/// Parses times and window, each `None` if it is missing or invalid, and therefore reported.
fn times_and_window(
    arguments: &Arguments,
    errors: &mut Errors,
) -> (Option<Number>, Option<Window>) {
    if let Some(text) = &arguments.rate {
        let names = [ArgName::Times].into_iter().chain(Window::NAMES);
        for name in names.chain([ArgName::Every]) {
            if let Some(argument) = arguments.named(name) {
                let rate = text.to_token_stream();
                let message = format!("{rate} says this already: remove `{name}`, or the string");
                errors.at(&argument.name, message);
            }
        }
        let rate = text.value().parse::<Limit>();
        let rate = errors.ok(rate.map_err(|error| syn::Error::new_spanned(text, error)));
        let times = rate.as_ref().map(|rate| Number::Known {
            value: rate.times().into(),
            span: text.span(),
        });
        return (times, rate.as_ref().map(Window::from_rate));
    }
    let times = number(arguments, ArgName::Times, errors);
    let has_times = arguments.named(ArgName::Times).is_some();
    if !has_times && !Window::is_given(arguments) {
        let message = "the limit is missing: write `times = 10, seconds = 60`, or `\"10/minute\"`";
        errors.at(&arguments.anchor, message);
        return (None, None);
    }
    if !has_times {
        let message = "`times` is missing: add `times = 10`, or write the rate, `\"10/minute\"`";
        errors.at(&arguments.anchor, message);
    }
    (times, Window::from_arguments(arguments, errors))
}
