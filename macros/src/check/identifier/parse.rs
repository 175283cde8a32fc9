//! Parses the value of `identifier`.

use actix_throttle_core::{
    identity::CombinationError,
    text::suggest::{hint, nearest},
};
use syn::{Expr, ExprCall, ExprPath, ExprReference, ExprTuple, Ident, Lit, LitStr, Path};

use super::{
    advice,
    keywords::{NAMED, PLAIN, VALID},
};
use crate::{check::value::literal, name::ArgName, spelling::is_const};

/// A valid identifier.
pub(crate) enum Identifier {
    /// `ip` or `global`: the name of the runtime's constructor.
    Plain(Ident),
    /// `header("X")` and similar: the constructor and its argument.
    Named(Ident, LitStr),
    /// A function of the user.
    Function(ExprPath),
    /// A static of the user, a `LazyLock<Identifier>`.
    Static(ExprPath),
    /// `(ip, header("X"))`: a combination, none of whose parts is one itself.
    All(Vec<Identifier>),
}

impl Identifier {
    pub(crate) fn parse(expr: &Expr) -> syn::Result<Self> {
        match expr {
            Expr::Path(path) => Self::from_path(path),
            Expr::Call(call) => Self::from_call(call),
            Expr::Tuple(tuple) => Self::from_tuple(tuple),
            // `(ip)` is `ip`, as everywhere in Rust.
            Expr::Paren(parenthesised) => Self::parse(&parenthesised.expr),
            // `&path`, for a static in lower case.
            Expr::Reference(ExprReference {
                expr,
                mutability: None,
                ..
            }) if matches!(&**expr, Expr::Path(_)) => match &**expr {
                Expr::Path(path) => Ok(Self::Static(path.clone())),
                other => Self::parse(other),
            },
            Expr::Closure(closure) => {
                let message = advice::of_closure();
                Err(syn::Error::new_spanned(closure, message))
            }
            expr => {
                let quoted = match literal(expr) {
                    Some(Lit::Str(text)) if text.parse::<Expr>().is_ok() => Some(text.value()),
                    _ => None,
                };
                let message = match quoted {
                    Some(text) => {
                        format!("an identifier has no quotes: write `identifier = {text}`")
                    }
                    None => format!(
                        "expected `{}`, a tuple of these, or the path of a function or a static",
                        VALID.join("`, `")
                    ),
                };
                Err(syn::Error::new_spanned(expr, message))
            }
        }
    }

    /// Returns a text that is equal for identifiers which the macro knows to be the same.
    pub(crate) fn fingerprint(&self) -> String {
        match self {
            Self::Plain(source) => source.to_string(),
            // Header names are case-insensitive.
            Self::Named(source, name) if source == "header" => {
                format!("header({:?})", name.value().to_ascii_lowercase())
            }
            Self::Named(source, name) => format!("{source}({:?})", name.value()),
            Self::Function(path) | Self::Static(path) => quote::quote!(#path).to_string(),
            Self::All(parts) => {
                let parts: Vec<_> = parts.iter().map(Self::fingerprint).collect();
                format!("({})", parts.join(", "))
            }
        }
    }

    /// Returns the paths of the user's functions and statics.
    pub(crate) fn paths(&self) -> Vec<&ExprPath> {
        match self {
            Self::Plain(_) | Self::Named(..) => Vec::new(),
            Self::Function(path) | Self::Static(path) => vec![path],
            Self::All(parts) => parts.iter().flat_map(Self::paths).collect(),
        }
    }

    /// Returns an identifier that has a function or a static of the user, as a text.
    pub(crate) fn own(&self) -> Option<String> {
        (!self.paths().is_empty()).then(|| self.fingerprint())
    }

    /// Parses a combination, and reports all of its errors.
    fn from_tuple(tuple: &ExprTuple) -> syn::Result<Self> {
        let mut errors: Option<syn::Error> = None;
        let mut report = |error: syn::Error| match &mut errors {
            Some(errors) => errors.combine(error),
            None => errors = Some(error),
        };
        let mut parts: Vec<Self> = Vec::new();
        for expr in &tuple.elems {
            let part = match Self::parse(expr) {
                Ok(part) => part,
                Err(error) => {
                    report(error);
                    continue;
                }
            };
            let fingerprint = part.fingerprint();
            let error = match &part {
                Self::All(_) => CombinationError::Nested,
                Self::Plain(source) if source == "global" => CombinationError::Global,
                _ if parts.iter().any(|other| other.fingerprint() == fingerprint) => {
                    CombinationError::Repeated(fingerprint.replace(' ', ""))
                }
                _ => {
                    parts.push(part);
                    continue;
                }
            };
            report(syn::Error::new_spanned(expr, error));
        }
        if tuple.elems.len() < 2 {
            report(syn::Error::new_spanned(tuple, CombinationError::Few));
        }
        match errors {
            Some(errors) => Err(errors),
            None => Ok(Self::All(parts)),
        }
    }

    fn from_path(path: &ExprPath) -> syn::Result<Self> {
        if is_const(path) {
            return Ok(Self::Static(path.clone()));
        }
        if let Some(advice) = advice::of_path(path) {
            return Err(syn::Error::new_spanned(path, advice));
        }
        let Some(ident) = path.path.get_ident().filter(|_| path.qself.is_none()) else {
            return Ok(Self::Function(path.clone()));
        };
        if PLAIN.iter().any(|plain| ident == plain) {
            return Ok(Self::Plain(ident.clone()));
        }
        match NAMED.iter().find(|(named, _)| ident == named) {
            Some((named, example)) => {
                let message = format!(
                    "`{named}` needs a name: write `identifier = {named}(\"{example}\")` \
                     (for a function of that name, `self::{named}`)"
                );
                Err(syn::Error::new_spanned(path, message))
            }
            None => Ok(Self::Function(path.clone())),
        }
    }

    fn from_call(call: &ExprCall) -> syn::Result<Self> {
        let error = |message: String| Err(syn::Error::new_spanned(call, message));
        if let Some(advice) = advice::of_call(call) {
            return error(advice);
        }
        let Some(source) = called(&call.func).and_then(Path::get_ident) else {
            return error(not_its_result(&call.func));
        };
        if PLAIN.iter().any(|plain| source == plain) {
            return error(format!(
                "`{source}` takes no argument: write `identifier = {source}`"
            ));
        }
        let Some((named, example)) = NAMED.iter().find(|(named, _)| source == named) else {
            let word = source.to_string();
            let names = NAMED.iter().map(|(named, _)| *named).chain(PLAIN);
            return match nearest(&word, names) {
                Some(near) => {
                    let hint = hint(Some(near), &VALID);
                    let message = format!("unknown identifier `{word}`{hint}");
                    Err(syn::Error::new_spanned(source, message))
                }
                None => error(not_its_result(&call.func)),
            };
        };
        match (call.args.len(), call.args.first().and_then(literal)) {
            (1, Some(Lit::Str(name))) => match flaw(named, &name.value()) {
                None => Ok(Self::Named(source.clone(), name.clone())),
                Some(flaw) => Err(syn::Error::new_spanned(name, flaw)),
            },
            _ => error(format!(
                "`{named}` takes one string literal: write `identifier = {named}(\"{example}\")`"
            )),
        }
    }
}

fn called(function: &Expr) -> Option<&Path> {
    match function {
        Expr::Path(path) => Some(&path.path),
        _ => None,
    }
}

fn not_its_result(function: &Expr) -> String {
    let function = quote::quote!(#function).to_string().replace(' ', "");
    let name = ArgName::Identifier;
    format!("`{name}` takes a function, not its result: write `{name} = {function}`")
}

/// Returns what is wrong with the name of a header, cookie or parameter.
fn flaw(source: &str, name: &str) -> Option<String> {
    if name.is_empty() {
        return Some(format!("the name is empty: say which {}", thing(source)));
    }
    let wrong: fn(char) -> bool = match source {
        // RFC 9110, section 5.6.2: the characters of a header's name.
        "header" => |c| !(c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c)),
        // Browsers exceed RFC 6265. These characters certainly end or split a cookie's name.
        "cookie" => |c| c.is_control() || c.is_whitespace() || "=;,\"".contains(c),
        // A parameter's name excludes the braces of the pattern.
        "path" => |c| "{}/:".contains(c),
        _ => |c| "&=#".contains(c),
    };
    let wrong = name.chars().find(|c| wrong(*c))?;
    let thing = thing(source);
    Some(format!(
        "`{}` cannot stand in the name of a {thing}: remove it",
        wrong.escape_debug()
    ))
}

fn thing(source: &str) -> &'static str {
    match source {
        "header" => "header",
        "cookie" => "cookie",
        "path" => "path parameter",
        _ => "query parameter",
    }
}

#[cfg(test)]
mod tests;
