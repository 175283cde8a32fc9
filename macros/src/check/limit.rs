//! Checks the numbers of one rate limit.

use std::{ops::RangeInclusive, time::Duration};

use quote::ToTokens;

use super::{
    duration::{DurationRange, duration},
    value::{Number, assigned, flagged, grouped, integer, number, word},
    window::Window,
};
use crate::{args::Arguments, errors::Errors, name::ArgName, rate};

/// Range of `times`, `capacity` and `cost`.
pub(crate) const COUNTS: RangeInclusive<u64> = 1..=1_000_000_000;
/// Range of `lease`. A lease of 1 would query Redis for each request, like no lease at all.
const LEASES: RangeInclusive<u64> = 2..=1_000_000_000;
/// Largest `times` of `sliding_window`, whose exact log has one entry for each admission.
const LONGEST_LOG: u64 = 1_000_000;
const BLOCKS: DurationRange = DurationRange {
    range: Duration::from_millis(1)..=Duration::from_secs(366 * 86_400),
    says: "a block lasts 1 millisecond to 366 days",
};

/// The numbers of one limit, valid as far as the macro can evaluate them.
pub(crate) struct Limit {
    pub(crate) times: Number,
    pub(crate) window: Window,
    pub(crate) algorithm: Algorithm,
    pub(crate) refill: Refill,
    pub(crate) capacity: Option<Number>,
    pub(crate) cost: Option<Number>,
    pub(crate) block: Option<Duration>,
    pub(crate) lease: Option<Number>,
    pub(crate) shadow: bool,
}

/// Mirrors the runtime's `Algorithm`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Algorithm {
    SlidingWindow,
    SlidingWindowCounter,
    FixedWindow,
    TokenBucket,
    LeakyBucket,
}

const ALGORITHMS: [(&str, Algorithm); 5] = [
    ("sliding_window", Algorithm::SlidingWindow),
    ("sliding_window_counter", Algorithm::SlidingWindowCounter),
    ("fixed_window", Algorithm::FixedWindow),
    ("token_bucket", Algorithm::TokenBucket),
    ("leaky_bucket", Algorithm::LeakyBucket),
];

/// Mirrors the runtime's `Refill`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refill {
    Greedy,
    Interval,
}

const REFILLS: [(&str, Refill); 2] = [("greedy", Refill::Greedy), ("interval", Refill::Interval)];

impl Limit {
    /// Checks all numbers of an attribute. `cost` is `None` if it is absent or a function.
    pub(crate) fn check(
        arguments: &Arguments,
        cost: Option<Number>,
        errors: &mut Errors,
    ) -> Option<Self> {
        let rate = times_and_window(arguments, errors);
        let algorithm = algorithm(arguments, errors);
        let (capacity, refill) = bucket(arguments, algorithm, errors);
        let block = duration(arguments, ArgName::Block, &BLOCKS, errors);
        let lease = lease(arguments, algorithm, errors);
        let shadow = flagged(arguments, ArgName::Shadow, errors);
        let (times, window) = rate?;
        let algorithm = algorithm?;
        check_rate(&times, &window, algorithm, errors);
        check_cost(&times, capacity.as_ref(), cost.as_ref(), errors);
        Some(Self {
            times,
            window,
            algorithm,
            refill,
            capacity,
            cost,
            block,
            lease,
            shadow,
        })
    }
}

fn times_and_window(arguments: &Arguments, errors: &mut Errors) -> Option<(Number, Window)> {
    if let Some(text) = &arguments.rate {
        for name in [ArgName::Times].into_iter().chain(Window::NAMES) {
            if let Some(argument) = arguments.named(name) {
                let rate = text.to_token_stream();
                let message = format!("{rate} says this already: remove `{name}`, or the string");
                errors.at(&argument.name, message);
            }
        }
        let rate = rate::parse(&text.value());
        let rate = errors.ok(rate.map_err(|message| syn::Error::new_spanned(text, message)))?;
        if !COUNTS.contains(&rate.times) {
            errors.at(
                text,
                format!(
                    "a rate admits at most {} per window",
                    grouped(*COUNTS.end())
                ),
            );
        }
        let window = Window::from_rate(&rate, text, errors)?;
        return Some((
            Number::Known {
                value: rate.times,
                span: text.span(),
            },
            window,
        ));
    }
    let times = number(arguments, ArgName::Times, COUNTS, errors);
    let has_times = arguments.named(ArgName::Times).is_some();
    if !has_times && !Window::is_given(arguments) {
        let message = "the limit is missing: write `times = 10, seconds = 60`, or `\"10/minute\"`";
        errors.at(&arguments.anchor, message);
        return None;
    }
    if !has_times {
        let message = "`times` is missing: add `times = 10`, or write the rate, `\"10/minute\"`";
        errors.at(&arguments.anchor, message);
    }
    let window = Window::from_arguments(arguments, errors);
    Some((times?, window?))
}

/// Parses `algorithm`; `None` if it is invalid and therefore reported.
fn algorithm(arguments: &Arguments, errors: &mut Errors) -> Option<Algorithm> {
    match arguments.named(ArgName::Algorithm) {
        None => Some(Algorithm::SlidingWindow),
        Some(argument) => {
            let expr = assigned(ArgName::Algorithm, argument, errors)?;
            errors.ok(word(ArgName::Algorithm, expr, &ALGORITHMS))
        }
    }
}

fn bucket(
    arguments: &Arguments,
    algorithm: Option<Algorithm>,
    errors: &mut Errors,
) -> (Option<Number>, Refill) {
    for name in [ArgName::Capacity, ArgName::Refill] {
        if let Some(argument) = arguments.named(name) {
            // A misspelt algorithm may have been meant as `token_bucket`: no further error.
            if algorithm.is_some_and(|algorithm| algorithm != Algorithm::TokenBucket) {
                let message = format!(
                    "`{name}` belongs to `algorithm = \"token_bucket\"`: add that, or remove `{name}`"
                );
                errors.at(&argument.name, message);
            }
        }
    }
    let refill = arguments.named(ArgName::Refill).and_then(|argument| {
        let expr = assigned(ArgName::Refill, argument, errors)?;
        errors.ok(word(ArgName::Refill, expr, &REFILLS))
    });
    (
        number(arguments, ArgName::Capacity, COUNTS, errors),
        refill.unwrap_or(Refill::Greedy),
    )
}

fn lease(
    arguments: &Arguments,
    algorithm: Option<Algorithm>,
    errors: &mut Errors,
) -> Option<Number> {
    let argument = arguments.named(ArgName::Lease)?;
    if algorithm == Some(Algorithm::LeakyBucket) {
        let message = "`leaky_bucket` never has more than one to lease: \
            write another algorithm, or remove `lease`";
        errors.at(&argument.name, message);
    }
    let expr = assigned(ArgName::Lease, argument, errors)?;
    errors.ok(integer(ArgName::Lease, expr, LEASES))
}

fn check_rate(times: &Number, window: &Window, algorithm: Algorithm, errors: &mut Errors) {
    let Some(value) = times.known() else { return };
    match algorithm {
        Algorithm::SlidingWindow if value > LONGEST_LOG => errors.at(
            times,
            format!(
                "`sliding_window` remembers each admission, at most {}: \
                 write `algorithm = \"sliding_window_counter\"`",
                grouped(LONGEST_LOG)
            ),
        ),
        Algorithm::TokenBucket | Algorithm::LeakyBucket => {
            if let Some(micros) = window.known_micros().filter(|micros| value > *micros) {
                let message = format!(
                    "a bucket moves at most once a microsecond: at most {} in this window",
                    grouped(micros)
                );
                errors.at(times, message);
            }
        }
        _ => {}
    }
}

fn check_cost(
    times: &Number,
    capacity: Option<&Number>,
    cost: Option<&Number>,
    errors: &mut Errors,
) {
    let capacity = capacity.unwrap_or(times).known();
    if let (Some(cost), Some(capacity)) = (cost, capacity)
        && cost.known().is_some_and(|value| value > capacity)
    {
        let message = format!(
            "this limit never holds more than {capacity}, so each request would be denied: \
             lower `cost`, or raise the limit"
        );
        errors.at(cost, message);
    }
}
