//! Paths of functions.

use quote::ToTokens;
use syn::{Expr, ExprPath, Lit};

use crate::{
    args::Arguments,
    errors::Errors,
    name::ArgName,
    value::{assigned, literal},
};

/// A path to a function; `None` if it is absent or wrong.
pub(crate) fn function(
    arguments: &Arguments,
    name: ArgName,
    errors: &mut Errors,
) -> Option<ExprPath> {
    let expr = assigned(name, arguments.named(name)?, errors)?;
    errors.ok(path(name, expr))
}

/// A path to a function, or to a crate.
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

/// A function that the argument takes, and the argument that names it.
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

/// A path can be a constant or a function; a macro can only go by how constants are written.
pub(crate) fn is_const(path: &ExprPath) -> bool {
    let last = path.path.segments.last();
    last.is_some_and(|segment| is_written_like_a_constant(&segment.ident.to_string()))
}

pub(crate) fn is_written_like_a_constant(name: &str) -> bool {
    name.chars().any(char::is_uppercase) && !name.chars().any(char::is_lowercase)
}
