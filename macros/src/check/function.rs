//! Parses arguments that take the path of a function.

use quote::ToTokens;
use syn::{Expr, ExprPath, Lit};

use super::value::{assigned, literal};
use crate::{args::Arguments, errors::Errors, name::ArgName};

/// Parses the path of a function; `None` if it is absent, or invalid and therefore reported.
pub(crate) fn function(
    arguments: &Arguments,
    name: ArgName,
    errors: &mut Errors,
) -> Option<ExprPath> {
    let expr = assigned(name, arguments.named(name)?, errors)?;
    errors.ok(path(name, expr))
}

/// Parses the path of a function or of a crate.
pub(crate) fn path(name: ArgName, expr: &Expr) -> syn::Result<ExprPath> {
    let example = name.example();
    let message = match expr {
        Expr::Path(path) => return Ok(path.clone()),
        Expr::Closure(_) => match function_example(name) {
            Some((function, argument)) => format!(
                "`{name}` takes the path of a function, so a closure has to be named: \
                 write `{function}` and `{argument}`"
            ),
            None => format!("`{name}` takes a path: write `{example}`"),
        },
        Expr::Call(_) if name == ArgName::Crate => {
            format!("`{name}` takes a path: write `{example}`")
        }
        Expr::Call(call) => {
            let function = call.func.to_token_stream().to_string().replace(' ', "");
            format!("`{name}` takes a function, not its result: write `{name} = {function}`")
        }
        expr => match (literal(expr), function_example(name)) {
            (Some(Lit::Str(text)), _) if text.parse::<syn::Path>().is_ok() => {
                format!(
                    "`{name}` takes a path: write `{name} = {}` without quotes",
                    text.value()
                )
            }
            (_, Some((function, argument))) => format!(
                "`{name}` takes the path of a function: write `{function}` and `{argument}`"
            ),
            (_, None) => format!("`{name}` takes a path: write `{example}`"),
        },
    };
    Err(syn::Error::new_spanned(expr, message))
}

/// Returns an example function for the argument, and the argument with its path.
fn function_example(name: ArgName) -> Option<(&'static str, &'static str)> {
    Some(match name {
        ArgName::Cost => (
            "fn cost_of(request: &HttpRequest) -> u32 { ... }",
            "cost = cost_of",
        ),
        ArgName::SkipIf => (
            "fn is_internal(request: &HttpRequest) -> bool { ... }",
            "skip_if = is_internal",
        ),
        ArgName::Dynamic => (
            "fn by_plan(request: &HttpRequest, caller: &Identity) -> Option<Limit> { ... }",
            "dynamic = by_plan",
        ),
        ArgName::OnLimited => (
            "fn too_many(request: &HttpRequest, denied: &Decision) -> HttpResponse { ... }",
            "on_limited = too_many",
        ),
        _ => return None,
    })
}
