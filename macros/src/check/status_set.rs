//! `refund_on = "5xx, 404"`: the responses that are refunded.

use actix_throttle_core::status_set::StatusSet;
use syn::{Expr, Lit, LitStr};

use super::value::{assigned, literal, text};
use crate::{args::Arguments, errors::Errors, name::ArgName};

/// Parses the argument; `None` if it is absent, or invalid and therefore reported.
pub(crate) fn refund_on(arguments: &Arguments, errors: &mut Errors) -> Option<StatusSet> {
    let argument = arguments.named(ArgName::RefundOn)?;
    let expr = assigned(ArgName::RefundOn, argument, errors)?;
    let list = errors.ok(quoted(expr))?;
    match list.value().parse::<StatusSet>() {
        Ok(statuses) => Some(statuses),
        Err(error) => {
            for problem in error.problems() {
                errors.at(&list, problem);
            }
            None
        }
    }
}

/// Returns the string. A bare number is reported with the quotes added.
fn quoted(expr: &Expr) -> syn::Result<LitStr> {
    let Some(Lit::Int(status)) = literal(expr) else {
        return text(ArgName::RefundOn, expr);
    };
    let message = format!("`refund_on` takes a string literal: write `refund_on = \"{status}\"`");
    Err(syn::Error::new_spanned(status, message))
}
