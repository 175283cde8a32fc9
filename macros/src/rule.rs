//! One attribute, checked: a limit bound to requests.

use proc_macro2::TokenStream;
use syn::{Expr, ExprPath, LitStr};

use crate::{
    args::Arguments,
    errors::Errors,
    failure_mode::FailureMode,
    identifier::Identifier,
    label::Label,
    limit::{COUNTS, Limit},
    name::ArgName,
    named,
    statuses::Statuses,
    value::{Number, assigned, flag, integer, is_const, path, string},
    window::Window,
};

/// One attribute without a mistake.
pub(crate) struct Rule {
    /// The attribute's own tokens, for errors about all of it.
    pub(crate) anchor: TokenStream,
    pub(crate) identifier: Option<Identifier>,
    pub(crate) quota: Quota,
}

/// What is admitted.
pub(crate) enum Quota {
    /// Everything, for this group.
    Unlimited(LitStr),
    Limited(Box<Limited>),
}

/// A limit, for a group or for all without one, and what is around it.
pub(crate) struct Limited {
    pub(crate) numbers: Numbers,
    pub(crate) label: Label,
    pub(crate) group: Option<LitStr>,
    pub(crate) cost: Option<ExprPath>,
    pub(crate) skip_if: Option<ExprPath>,
    pub(crate) refund_on: Option<Statuses>,
    pub(crate) dynamic: Option<ExprPath>,
    pub(crate) on_limited: Option<ExprPath>,
    pub(crate) failure_mode: Option<FailureMode>,
}

/// Where the numbers of a limit are.
pub(crate) enum Numbers {
    Written(Limit),
    /// In the configuration, under this name.
    Named(LitStr),
    /// There too; these are for when it has none of that name.
    NamedOr(LitStr, Limit),
}

impl Numbers {
    /// The limit's name in the configuration.
    pub(crate) fn named(&self) -> Option<&LitStr> {
        match self {
            Self::Written(_) => None,
            Self::Named(name) | Self::NamedOr(name, _) => Some(name),
        }
    }

    /// The numbers that stand in the attribute.
    pub(crate) fn written(&self) -> Option<&Limit> {
        match self {
            Self::Written(limit) | Self::NamedOr(_, limit) => Some(limit),
            Self::Named(_) => None,
        }
    }
}

/// What one request takes.
enum Cost {
    Number(Number),
    Function(ExprPath),
}

impl Rule {
    /// Checks one attribute; `None` if that leaves nothing to go on with.
    pub(crate) fn check(mut arguments: Arguments, errors: &mut Errors) -> Option<Self> {
        let identifier = arguments.named(ArgName::Identifier).and_then(|argument| {
            let expr = assigned(ArgName::Identifier, argument, errors)?;
            errors.ok(Identifier::parse(expr))
        });
        let group = string(&arguments, ArgName::Group, errors);
        let quota = if arguments.named(ArgName::Unlimited).is_some() {
            unlimited(&arguments, group, errors).map(Quota::Unlimited)
        } else {
            limited(&mut arguments, group, errors).map(|limited| Quota::Limited(Box::new(limited)))
        };
        Some(Self {
            anchor: arguments.anchor,
            identifier,
            quota: quota?,
        })
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
                    let message = "`unlimited` needs to know for whom: add `group = \"admin\"`";
                    errors.at(&argument.name, message);
                }
            }
            ArgName::Group | ArgName::Identifier => {}
            name if name == ArgName::Times || Window::NAMES.contains(&name) => {
                errors.at(
                    &argument.name,
                    format!("`unlimited` takes no times/window: remove `{name}`"),
                );
            }
            _ => errors.at(
                &argument.name,
                format!("`unlimited` has no use for `{name}`: remove it"),
            ),
        }
    }
    group
}

fn limited(
    arguments: &mut Arguments,
    group: Option<LitStr>,
    errors: &mut Errors,
) -> Option<Limited> {
    let named = named::check(arguments, errors);
    let (number, cost) = match cost(arguments, errors) {
        Some(Cost::Number(number)) => (Some(number), None),
        Some(Cost::Function(path)) => (None, Some(path)),
        None => (None, None),
    };
    let numbers = numbers(arguments, named, number, errors);
    let label = Label::check(arguments, errors);
    let mut function = |name| {
        let expr = assigned(name, arguments.named(name)?, errors)?;
        errors.ok(path(name, expr))
    };
    let skip_if = function(ArgName::SkipIf);
    let dynamic = function(ArgName::Dynamic);
    let on_limited = function(ArgName::OnLimited);
    let refund_on = Statuses::check(arguments, errors);
    let failure_mode = FailureMode::check(arguments, errors);
    Some(Limited {
        numbers: numbers?,
        label,
        group,
        cost,
        skip_if,
        refund_on,
        dynamic,
        on_limited,
        failure_mode,
    })
}

fn numbers(
    arguments: &Arguments,
    named: Option<LitStr>,
    cost: Option<Number>,
    errors: &mut Errors,
) -> Option<Numbers> {
    if !named::is_alone(arguments) {
        let limit = Limit::check(arguments, cost, errors)?;
        return Some(match named {
            Some(name) => Numbers::NamedOr(name, limit),
            None => Numbers::Written(limit),
        });
    }
    // Where the name is wrong, nobody knows what the rest was meant to be.
    let name = named?;
    named::no_numbers(arguments, cost.as_ref(), errors);
    Some(Numbers::Named(name))
}

fn cost(arguments: &Arguments, errors: &mut Errors) -> Option<Cost> {
    let expr = assigned(ArgName::Cost, arguments.named(ArgName::Cost)?, errors)?;
    match expr {
        Expr::Path(path) if !is_const(path) => Some(Cost::Function(path.clone())),
        Expr::Closure(_) => {
            errors.ok(path(ArgName::Cost, expr));
            None
        }
        expr => errors
            .ok(integer(ArgName::Cost, expr, COUNTS))
            .map(Cost::Number),
    }
}
