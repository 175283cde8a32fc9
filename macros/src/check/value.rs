//! Converts raw values into integers, strings, words and flags. Any other value is an error with a
//! correct example.

use actix_throttle_core::text::{
    suggest::{nearest, unknown},
    word::Word,
};
use proc_macro2::{Span, TokenStream};
use quote::ToTokens;
use syn::{Expr, ExprLit, ExprPath, Lit, LitStr, UnOp};

use crate::{
    args::{Argument, Arguments, Value},
    errors::Errors,
    name::ArgName,
};

/// An integer known to the macro, or an expression that the compiler evaluates.
#[derive(Clone)]
pub(crate) enum Number {
    Known { value: u64, span: Span },
    Const(Box<Expr>),
}

impl Number {
    /// Returns the number, cut to the type of a limit's numbers, whose ranges end below it.
    pub(crate) fn known(&self) -> Option<u32> {
        match self {
            Self::Known { value, .. } => Some(u32::try_from(*value).unwrap_or(u32::MAX)),
            Self::Const(_) => None,
        }
    }

    /// Returns the number; for an expression, `other`.
    pub(crate) fn or(&self, other: u32) -> u32 {
        self.known().unwrap_or(other)
    }
}

impl ToTokens for Number {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        match self {
            Self::Known { value, span } => {
                let mut literal = proc_macro2::Literal::u64_unsuffixed(*value);
                literal.set_span(*span);
                literal.to_tokens(tokens);
            }
            Self::Const(expr) => expr.to_tokens(tokens),
        }
    }
}

/// Returns the expression after `=`; `None` if it is missing or invalid, and therefore reported.
pub(crate) fn assigned<'a>(
    name: ArgName,
    argument: &'a Argument,
    errors: &mut Errors,
) -> Option<&'a Expr> {
    match &argument.value {
        Value::Assigned(expr) => Some(peel(expr)),
        Value::Reported => None,
        Value::Flag => {
            let example = name.example();
            errors.at(
                &argument.name,
                format!("`{name}` needs a value: write `{example}`"),
            );
            None
        }
    }
}

/// Reports a flag that has a value.
pub(crate) fn flag(name: ArgName, argument: &Argument, errors: &mut Errors) {
    if let Value::Assigned(expr) = &argument.value {
        let off = matches!(literal(expr), Some(Lit::Bool(value)) if !value.value);
        let instead = if off {
            "leave it out"
        } else {
            "write it without a value"
        };
        errors.at(expr, format!("`{name}` is a flag: {instead}"));
    }
}

/// Returns whether a flag is given.
pub(crate) fn flagged(arguments: &Arguments, name: ArgName, errors: &mut Errors) -> bool {
    let argument = arguments.named(name);
    if let Some(argument) = argument {
        flag(name, argument, errors);
    }
    argument.is_some()
}

/// Parses an integer; `None` if it is absent, or invalid and therefore reported.
pub(crate) fn number(arguments: &Arguments, name: ArgName, errors: &mut Errors) -> Option<Number> {
    let expr = assigned(name, arguments.named(name)?, errors)?;
    errors.ok(integer(name, expr))
}

/// Parses an integer: a literal, or an expression for the compiler.
pub(crate) fn integer(name: ArgName, expr: &Expr) -> syn::Result<Number> {
    let error = |message: String| Err(syn::Error::new_spanned(expr, message));
    let example = name.example();
    match expr {
        Expr::Unary(unary)
            if matches!(unary.op, UnOp::Neg(_)) && literal(&unary.expr).is_some() =>
        {
            error(format!("`{name}` cannot be negative: write `{example}`"))
        }
        Expr::Lit(ExprLit {
            lit: Lit::Int(int), ..
        }) => {
            if !matches!(int.suffix(), "" | "u32") {
                let digits = int.base10_digits();
                let suffix = int.suffix();
                return error(format!(
                    "`{name}` takes a plain integer: write `{name} = {digits}` without `{suffix}`"
                ));
            }
            // A number too large for the type is too large for every range as well.
            let value = int.base10_parse().unwrap_or(u64::MAX);
            Ok(Number::Known {
                value,
                span: int.span(),
            })
        }
        Expr::Lit(ExprLit {
            lit: Lit::Float(_), ..
        }) => error(format!("`{name}` takes whole numbers: write `{example}`")),
        Expr::Lit(ExprLit {
            lit: Lit::Str(text),
            ..
        }) => {
            let number = text.value().trim().parse::<u64>();
            let example = number.map_or(example.to_owned(), |value| format!("{name} = {value}"));
            error(format!(
                "`{name}` takes an integer, not a string: write `{example}`"
            ))
        }
        Expr::Lit(_) => error(format!("`{name}` takes an integer: write `{example}`")),
        expr => Ok(Number::Const(Box::new(expr.clone()))),
    }
}

/// Parses a string literal that is not empty.
pub(crate) fn text(name: ArgName, expr: &Expr) -> syn::Result<LitStr> {
    let example = name.example();
    match literal(expr) {
        Some(Lit::Str(text)) if text.value().trim().is_empty() => {
            let message = format!("`{name}` is empty: write `{example}`, or leave it out");
            Err(syn::Error::new_spanned(text, message))
        }
        Some(Lit::Str(text)) => Ok(text.clone()),
        _ => {
            let message = format!("`{name}` takes a string literal: write `{example}`");
            Err(syn::Error::new_spanned(expr, message))
        }
    }
}

/// Parses a string; `None` if it is absent, or invalid and therefore reported.
pub(crate) fn string(arguments: &Arguments, name: ArgName, errors: &mut Errors) -> Option<LitStr> {
    let expr = assigned(name, arguments.named(name)?, errors)?;
    errors.ok(text(name, expr))
}

/// Parses a quoted word; `None` if it is absent, or invalid and therefore reported.
pub(crate) fn word<T: Word>(
    arguments: &Arguments,
    name: ArgName,
    errors: &mut Errors,
) -> Option<T> {
    let expr = assigned(name, arguments.named(name)?, errors)?;
    if let Expr::Path(path) = expr {
        errors.at(path, unquoted::<T>(name, path));
        return None;
    }
    let text = errors.ok(text(name, expr))?;
    let value = T::of_word(&text.value());
    if value.is_none() {
        let noun = T::NOUN.unwrap_or(name.as_str());
        errors.at(&text, unknown(noun, &text.value(), &T::words()));
    }
    value
}

/// Returns what to write in place of an unquoted word, or of a variant of the runtime's enum, whose
/// last segment names the word.
fn unquoted<T: Word>(name: ArgName, path: &ExprPath) -> String {
    let last = path.path.segments.last();
    let last = last.map_or_else(String::new, |segment| segment.ident.to_string());
    let example = match nearest(&last, T::words()) {
        Some(word) => format!("{name} = \"{word}\""),
        None => name.example().to_owned(),
    };
    format!("`{name}` takes a string literal: write `{example}`")
}

/// Removes parentheses and invisible groups around an expression.
///
/// A literal from a `macro_rules!` variable is in such a group.
pub(crate) fn peel(mut expr: &Expr) -> &Expr {
    loop {
        expr = match expr {
            Expr::Group(group) => &group.expr,
            Expr::Paren(paren) => &paren.expr,
            expr => return expr,
        };
    }
}

/// Returns the literal, if the expression is one.
pub(crate) fn literal(expr: &Expr) -> Option<&Lit> {
    match peel(expr) {
        Expr::Lit(literal) => Some(&literal.lit),
        _ => None,
    }
}
