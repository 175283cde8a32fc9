//! One attribute, checked: a limit bound to requests.

use proc_macro2::TokenStream;
use syn::{Expr, ExprPath, LitStr};

use crate::{
    args::Arguments,
    errors::Errors,
    failure_mode::FailureMode,
    identifier::Identifier,
    limit::{COUNTS, Limit, string},
    name::ArgName,
    value::{Number, assigned, flag, integer, path},
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
    pub(crate) limit: Limit,
    pub(crate) group: Option<LitStr>,
    pub(crate) cost: Option<ExprPath>,
    pub(crate) skip_if: Option<ExprPath>,
    pub(crate) dynamic: Option<ExprPath>,
    pub(crate) on_limited: Option<ExprPath>,
    pub(crate) failure_mode: Option<FailureMode>,
}

/// What one request takes.
enum Cost {
    Number(Number),
    Function(ExprPath),
}

impl Rule {
    /// Checks one attribute; `None` if that leaves nothing to go on with.
    pub(crate) fn check(arguments: Arguments, errors: &mut Errors) -> Option<Self> {
        let identifier = arguments.named(ArgName::Identifier).and_then(|argument| {
            let expr = assigned(ArgName::Identifier, argument, errors)?;
            errors.ok(Identifier::parse(expr))
        });
        let group = string(&arguments, ArgName::Group, errors);
        let quota = if arguments.named(ArgName::Unlimited).is_some() {
            unlimited(&arguments, group, errors).map(Quota::Unlimited)
        } else {
            limited(&arguments, group, errors).map(|limited| Quota::Limited(Box::new(limited)))
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

fn limited(arguments: &Arguments, group: Option<LitStr>, errors: &mut Errors) -> Option<Limited> {
    let (number, cost) = match cost(arguments, errors) {
        Some(Cost::Number(number)) => (Some(number), None),
        Some(Cost::Function(path)) => (None, Some(path)),
        None => (None, None),
    };
    let limit = Limit::check(arguments, number, errors);
    let mut function = |name| {
        let expr = assigned(name, arguments.named(name)?, errors)?;
        errors.ok(path(name, expr))
    };
    let skip_if = function(ArgName::SkipIf);
    let dynamic = function(ArgName::Dynamic);
    let on_limited = function(ArgName::OnLimited);
    let failure_mode = FailureMode::check(arguments, errors);
    Some(Limited {
        limit: limit?,
        group,
        cost,
        skip_if,
        dynamic,
        on_limited,
        failure_mode,
    })
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

/// A path can be a constant or a function; a macro can only go by how constants are written.
fn is_const(path: &ExprPath) -> bool {
    path.path.segments.last().is_some_and(|segment| {
        let name = segment.ident.to_string();
        name.chars().any(char::is_uppercase) && !name.chars().any(char::is_lowercase)
    })
}
