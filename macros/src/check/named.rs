//! `limit = "login"`: a limit whose numbers come from the configuration.

use actix_throttle_core::limit::Limit;
use quote::ToTokens;
use syn::{Expr, Ident, Lit, LitStr};

use super::{
    value::{Number, assigned, literal, peel, text},
    window::Window,
};
use crate::{args::Arguments, errors::Errors, name::ArgName, spelling::is_const};

/// Arguments that belong to a limit's numbers, except `cost`, which may be a function.
const NUMBERS: [ArgName; 7] = [
    ArgName::TimeZone,
    ArgName::Algorithm,
    ArgName::Capacity,
    ArgName::Refill,
    ArgName::Block,
    ArgName::Lease,
    ArgName::Shadow,
];

/// Parses the name of the configured limit; `None` if it is absent, or invalid and therefore
/// reported.
///
/// A value that was meant for `times` counts as `times` from here on.
pub(crate) fn check(arguments: &mut Arguments, errors: &mut Errors) -> Option<LitStr> {
    let argument = arguments.named(ArgName::Limit)?;
    if cfg!(not(feature = "config")) {
        let message = "`limit` takes its numbers from a configuration file: \
            enable the feature `config` of `actix-throttle`";
        errors.at(&argument.name, message);
        return None;
    }
    let expr = assigned(ArgName::Limit, argument, errors)?;
    match name(expr) {
        Ok(name) => Some(name),
        Err(error) => {
            errors.push(error);
            // `times` is not missing if there is a positional string.
            if is_number(expr) && arguments.rate.is_none() {
                arguments.meant(ArgName::Limit, ArgName::Times);
            }
            None
        }
    }
}

/// Returns whether all numbers come from the configuration: a limit is named, and no rate written.
pub(crate) fn has_only_name(arguments: &Arguments) -> bool {
    arguments.named(ArgName::Limit).is_some()
        && arguments.rate.is_none()
        && arguments.named(ArgName::Times).is_none()
        && !Window::is_given(arguments)
}

/// Reports arguments that need numbers. `cost` is `None` if it is absent or a function.
pub(crate) fn reject_numbers(arguments: &Arguments, cost: Option<&Number>, errors: &mut Errors) {
    let cost = cost.and_then(|_| arguments.named(ArgName::Cost));
    let cost = cost.map(|argument| (ArgName::Cost, argument));
    let numbers = arguments
        .names()
        .filter(|(name, _)| NUMBERS.contains(name))
        .chain(cost);
    for (name, argument) in numbers {
        let message = format!(
            "the numbers of this limit are in the configuration: put `{name}` there, or write a \
             rate as the fallback, `\"10/minute\"`"
        );
        errors.at(&argument.name, message);
    }
}

fn name(expr: &Expr) -> syn::Result<LitStr> {
    let takes = "`limit` takes the name of a limit in the configuration";
    let message = match literal(expr) {
        None if unquoted(expr).is_some() => {
            let name = unquoted(expr).to_token_stream();
            format!("{takes}: write `limit = \"{name}\"`")
        }
        Some(Lit::Str(name)) if name.value().parse::<Limit>().is_ok() => {
            let rate = name.to_token_stream();
            format!("{takes}; a rate stands by itself: write `{rate}` without `limit =`")
        }
        None | Some(Lit::Int(_)) if is_number(expr) => {
            let number = expr.to_token_stream().to_string().replace(' ', "");
            format!("{takes}; did you mean `times = {number}`?")
        }
        _ => return text(ArgName::Limit, expr),
    };
    Err(syn::Error::new_spanned(expr, message))
}

/// Returns an unquoted word that is not spelt like a constant.
fn unquoted(expr: &Expr) -> Option<&Ident> {
    match peel(expr) {
        Expr::Path(path) if !is_const(path) => path.path.get_ident(),
        _ => None,
    }
}

/// Returns whether the expression would be valid for `times`: an integer or a constant expression.
fn is_number(expr: &Expr) -> bool {
    match literal(expr) {
        Some(literal) => matches!(literal, Lit::Int(_)),
        None => unquoted(expr).is_none(),
    }
}
