//! Checks the arguments of a rate limit: its numbers, and what one request costs.

use actix_throttle_core::{limit::range, status_set::StatusSet};
use syn::{Expr, ExprPath, LitStr};

use super::{
    function::{function, path},
    limit::WrittenLimit,
    named,
    report::report_at,
    slow_down::{SlowDownSpec, slow_down},
    status_set::refund_on,
    value::{Number, assigned, flagged, integer},
};
use crate::{args::Arguments, errors::Errors, name::ArgName, spelling::is_const};

/// The valid arguments of a rate limit.
pub(crate) struct RateSpec {
    pub(crate) numbers: LimitSource,
    pub(crate) cost: Option<ExprPath>,
    pub(crate) refund_on: Option<StatusSet>,
    pub(crate) settle: bool,
    pub(crate) dynamic: Option<ExprPath>,
    pub(crate) slow_down: Option<SlowDownSpec>,
}

/// The source of a limit's numbers.
pub(crate) enum LimitSource {
    Written(WrittenLimit),
    /// The configured limit of this name.
    Named(LitStr),
    /// The configured limit of this name; without one, these numbers.
    NamedOr(LitStr, WrittenLimit),
}

/// The cost of one request.
enum Cost {
    Number(Number),
    Function(ExprPath),
}

impl RateSpec {
    /// Checks the arguments that only a rate has; `None` without valid numbers.
    pub(crate) fn check(arguments: &mut Arguments, errors: &mut Errors) -> Option<Self> {
        let named = named::check(arguments, errors);
        let (number, cost) = match cost(arguments, errors) {
            Some(Cost::Number(number)) => (Some(number), None),
            Some(Cost::Function(path)) => (None, Some(path)),
            None => (None, None),
        };
        let numbers = numbers(arguments, named, number, errors);
        let refund_on = refund_on(arguments, errors);
        let settle = flagged(arguments, ArgName::Settle, errors);
        if settle && arguments.named(ArgName::Lease).is_some() {
            report_at(arguments, ArgName::Settle, range::SETTLE_WITH_LEASE, errors);
        }
        let dynamic = function(arguments, ArgName::Dynamic, errors);
        let slow_down = {
            let written = numbers.as_ref().and_then(LimitSource::written);
            slow_down(arguments, written, errors)
        };
        Some(Self {
            numbers: numbers?,
            cost,
            refund_on,
            settle,
            dynamic,
            slow_down,
        })
    }
}

impl LimitSource {
    /// Returns the name of the configured limit.
    pub(crate) fn named(&self) -> Option<&LitStr> {
        match self {
            Self::Written(_) => None,
            Self::Named(name) | Self::NamedOr(name, _) => Some(name),
        }
    }

    /// Returns the numbers written in the attribute.
    pub(crate) fn written(&self) -> Option<&WrittenLimit> {
        match self {
            Self::Written(limit) | Self::NamedOr(_, limit) => Some(limit),
            Self::Named(_) => None,
        }
    }
}

fn numbers(
    arguments: &Arguments,
    named: Option<LitStr>,
    cost: Option<Number>,
    errors: &mut Errors,
) -> Option<LimitSource> {
    if !named::has_only_name(arguments) {
        let limit = WrittenLimit::check(arguments, cost, errors)?;
        return Some(match named {
            Some(name) => LimitSource::NamedOr(name, limit),
            None => LimitSource::Written(limit),
        });
    }
    // The meaning of the other arguments is unclear after an invalid name.
    let name = named?;
    named::reject_numbers(arguments, cost.as_ref(), errors);
    Some(LimitSource::Named(name))
}

fn cost(arguments: &Arguments, errors: &mut Errors) -> Option<Cost> {
    let expr = assigned(ArgName::Cost, arguments.named(ArgName::Cost)?, errors)?;
    match expr {
        Expr::Path(path) if !is_const(path) => Some(Cost::Function(path.clone())),
        Expr::Closure(_) => {
            errors.ok(path(ArgName::Cost, expr));
            None
        }
        expr => {
            let number = errors.ok(integer(ArgName::Cost, expr))?;
            let valid = number
                .known()
                .is_none_or(|cost| range::TIMES.contains(&cost));
            if !valid {
                errors.at(expr, flaw(&number));
            }
            valid.then_some(Cost::Number(number))
        }
    }
}

/// Returns what is wrong with a cost that is out of range.
fn flaw(cost: &Number) -> &'static str {
    match cost.known() {
        Some(0) => {
            "`cost = 0` would never count: write 1 or more, or exempt requests with `skip_if`"
        }
        _ => "`cost` must be from 1 to 1,000,000,000",
    }
}
