//! Checks one attribute as a whole: a limit, and the requests that it applies to.

use std::time::Duration;

use actix_throttle_core::{
    failure_mode::FailureMode,
    limit::range::{self, check_max_wait},
};
use proc_macro2::TokenStream;
use syn::{ExprPath, LitStr};

use super::{
    concurrency::ConcurrencySpec,
    duration::duration,
    function::function,
    identifier::Identifier,
    label::Label,
    rate::RateSpec,
    report::report_at,
    value::{assigned, flag, string, word},
    window::Window,
};
use crate::{args::Arguments, attribute::AttrName, errors::Errors, name::ArgName};

/// One valid attribute.
pub(crate) struct Rule {
    /// The attribute's own tokens, for errors about the attribute as a whole.
    pub(crate) anchor: TokenStream,
    pub(crate) identifier: Option<Identifier>,
    pub(crate) quota: RuleQuota,
}

/// The quota that the rule admits.
pub(crate) enum RuleQuota {
    /// All requests of this group.
    Unlimited(LitStr),
    Limited(Box<Limited>),
}

/// A limit with its options. It applies to `group`, or to all requests without a group.
pub(crate) struct Limited {
    pub(crate) spec: LimitSpec,
    pub(crate) label: Label,
    pub(crate) group: Option<LitStr>,
    pub(crate) skip_if: Option<ExprPath>,
    pub(crate) on_limited: Option<ExprPath>,
    pub(crate) failure_mode: Option<FailureMode>,
    pub(crate) max_wait: Option<Duration>,
}

/// The kind of a limit: a rate or a concurrency limit.
pub(crate) enum LimitSpec {
    Rate(Box<RateSpec>),
    Concurrency(ConcurrencySpec),
}

impl Rule {
    /// Checks one attribute; `None` if its errors leave no rule.
    pub(crate) fn check(mut arguments: Arguments, errors: &mut Errors) -> Option<Self> {
        let identifier = arguments.named(ArgName::Identifier).and_then(|argument| {
            let expr = assigned(ArgName::Identifier, argument, errors)?;
            errors.ok(Identifier::parse(expr))
        });
        let group = string(&arguments, ArgName::Group, errors);
        let quota = if arguments.named(ArgName::Unlimited).is_some() {
            unlimited(&arguments, group, errors).map(RuleQuota::Unlimited)
        } else {
            limited(&mut arguments, group, errors)
                .map(|limited| RuleQuota::Limited(Box::new(limited)))
        };
        Some(Self {
            anchor: arguments.anchor,
            identifier,
            quota: quota?,
        })
    }
}

impl Rule {
    /// Returns the rate, if the rule has one.
    pub(crate) fn rate(&self) -> Option<&RateSpec> {
        match &self.quota {
            RuleQuota::Limited(limited) => match &limited.spec {
                LimitSpec::Rate(rate) => Some(rate),
                LimitSpec::Concurrency(_) => None,
            },
            RuleQuota::Unlimited(_) => None,
        }
    }
}

fn unlimited(arguments: &Arguments, group: Option<LitStr>, errors: &mut Errors) -> Option<LitStr> {
    if let Some(rate) = &arguments.rate {
        errors.at(rate, "`unlimited` takes no rate: remove it");
    }
    for (name, argument) in arguments.names() {
        match name {
            ArgName::Unlimited => {
                flag(name, argument, errors);
                if arguments.named(ArgName::Group).is_none() {
                    let message = "`unlimited` needs a group: add `group = \"admin\"`";
                    errors.at(&argument.name, message);
                }
            }
            ArgName::Group | ArgName::Identifier | ArgName::Crate => {}
            name if name == ArgName::Times || Window::gives(name) => {
                errors.at(
                    &argument.name,
                    format!("`unlimited` takes no times/window: remove `{name}`"),
                );
            }
            _ => errors.at(&argument.name, range::of_unlimited(name.as_str())),
        }
    }
    group
}

fn limited(
    arguments: &mut Arguments,
    group: Option<LitStr>,
    errors: &mut Errors,
) -> Option<Limited> {
    let spec = match arguments.attribute {
        AttrName::RateLimit => {
            let rate = RateSpec::check(arguments, errors);
            rate.map(|rate| LimitSpec::Rate(Box::new(rate)))
        }
        AttrName::ConcurrencyLimit => {
            ConcurrencySpec::check(arguments, errors).map(LimitSpec::Concurrency)
        }
    };
    let label = Label::check(arguments, errors);
    let skip_if = function(arguments, ArgName::SkipIf, errors);
    let on_limited = function(arguments, ArgName::OnLimited, errors);
    let failure_mode = word(arguments, ArgName::FailureMode, errors);
    let max_wait = max_wait(arguments, errors);
    Some(Limited {
        spec: spec?,
        label,
        group,
        skip_if,
        on_limited,
        failure_mode,
        max_wait,
    })
}

fn max_wait(arguments: &Arguments, errors: &mut Errors) -> Option<Duration> {
    let max_wait = duration(arguments, ArgName::MaxWait, errors)?;
    if let Err(message) = check_max_wait(max_wait) {
        report_at(arguments, ArgName::MaxWait, message, errors);
    }
    Some(max_wait)
}
