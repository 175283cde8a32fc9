//! Parses the tokens of an attribute into raw arguments: names, spans and unchecked values. `check`
//! calls it. An error never stops parsing: it is recorded, and the next argument is read.

use std::collections::BTreeMap;

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::{
    Expr, Ident, LitStr, Path, Token,
    ext::IdentExt,
    parse::{ParseStream, Parser},
};

use crate::{
    attribute::{AttrName, Unknown},
    errors::Errors,
    name::ArgName,
    spelling::is_written_like_a_constant,
};

/// The raw arguments of one attribute.
pub(crate) struct Arguments {
    pub(crate) attribute: AttrName,
    /// The attribute's own tokens. Errors that belong to no single argument are reported here.
    pub(crate) anchor: TokenStream,
    /// The positional string.
    pub(crate) rate: Option<LitStr>,
    named: BTreeMap<ArgName, Argument>,
}

/// A named argument.
pub(crate) struct Argument {
    pub(crate) name: Ident,
    pub(crate) value: Value,
}

/// The value of a named argument.
pub(crate) enum Value {
    /// No value: `shadow`.
    Flag,
    /// `= expression`.
    Assigned(Box<Expr>),
    /// The value is unreadable, and was reported. It keeps the argument from being reported as
    /// missing, too.
    Reported,
}

impl Arguments {
    /// Parses the tokens between the attribute's parentheses. Without tokens, errors are reported
    /// at `path`.
    pub(crate) fn parse(
        attribute: AttrName,
        tokens: TokenStream,
        path: TokenStream,
        errors: &mut Errors,
    ) -> Self {
        let anchor = if tokens.is_empty() {
            path
        } else {
            tokens.clone()
        };
        let mut arguments = Self {
            attribute,
            anchor,
            rate: None,
            named: BTreeMap::new(),
        };
        let read = Parser::parse2(
            |input: ParseStream<'_>| arguments.read(input, errors),
            tokens,
        );
        errors.ok(read);
        arguments
    }

    /// Returns the argument of this name, or `None` if it is absent.
    pub(crate) fn named(&self, name: ArgName) -> Option<&Argument> {
        self.named.get(&name)
    }

    /// Treats the argument `written`, which has been reported, as if it were `meant`.
    pub(crate) fn meant(&mut self, written: ArgName, meant: ArgName) {
        if let Some(Argument { name, .. }) = self.named.remove(&written) {
            self.reported(name, meant);
        }
    }

    /// Returns the named arguments of this attribute.
    pub(crate) fn names(&self) -> impl Iterator<Item = (ArgName, &Argument)> {
        self.named.iter().map(|(name, argument)| (*name, argument))
    }

    fn read(&mut self, input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<()> {
        while !input.is_empty() {
            if input.peek(LitStr) {
                let rate = input.parse()?;
                self.insert_rate(rate, errors);
            } else if input.peek(Ident::peek_any) && !input.peek2(Token![::]) {
                let argument = argument(self.attribute, input, errors)?;
                self.insert(argument, errors);
            } else if let Some(path) = path(&input.fork()) {
                input.parse::<Path>()?;
                self.insert_path(&path, errors);
            } else {
                let example = self.attribute.example();
                errors.push(input.error(format!("expected an argument such as `{example}`")));
                skip_to_comma(input)?;
            }
            separator(input, errors)?;
        }
        Ok(())
    }

    fn insert_rate(&mut self, rate: LitStr, errors: &mut Errors) {
        if self.rate.is_some() {
            errors.at(
                rate,
                "a second rate: for two limits write `#[rate_limit(...)]` twice",
            );
        } else {
            self.rate = Some(rate);
        }
    }

    /// Reports a path without a value, such as a constant in place of a rate.
    fn insert_path(&mut self, path: &Path, errors: &mut Errors) {
        let text = path.to_token_stream().to_string().replace(' ', "");
        let (message, meant): (_, &[_]) = match self.attribute {
            AttrName::RateLimit => (
                format!(
                    "a rate is read when the crate is built, so it has to be written out: write \
                     `\"100/minute\"`, or constants of type `u32` by name, \
                     `times = {text}, seconds = 60`"
                ),
                &[ArgName::Times, ArgName::Seconds],
            ),
            AttrName::ConcurrencyLimit => (
                format!(
                    "a value needs the name of its argument: write `max = {text}`, a constant of \
                     type `u32`"
                ),
                &[ArgName::Max],
            ),
        };
        errors.at(path, message);
        if let Some(segment) = path.segments.last() {
            for meant in meant {
                self.reported(segment.ident.clone(), *meant);
            }
        }
    }

    fn insert(&mut self, argument: Argument, errors: &mut Errors) {
        let word = argument.name.unraw().to_string();
        if matches!(argument.value, Value::Flag) && is_written_like_a_constant(&word) {
            return self.insert_path(&argument.name.into(), errors);
        }
        match self.attribute.argument(&word) {
            Ok(name) => self.insert_once(name, argument, errors),
            Err(Unknown { message, meant }) => {
                errors.at(&argument.name, message);
                if let Some(meant) = meant {
                    self.reported(argument.name, meant);
                }
            }
        }
    }

    /// Records that `meant` was reported under the name `name`, so that it is not also reported as
    /// missing.
    fn reported(&mut self, name: Ident, meant: ArgName) {
        let value = Value::Reported;
        self.named.entry(meant).or_insert(Argument { name, value });
    }

    /// Inserts an argument, and reports it if it is given twice.
    fn insert_once(&mut self, name: ArgName, argument: Argument, errors: &mut Errors) {
        // An earlier `Reported` does not count: it was a misspelling, or is already reported.
        let earlier = self.named.get(&name).map(|earlier| &earlier.value);
        if matches!(earlier, Some(Value::Flag | Value::Assigned(_))) {
            errors.at(
                argument.name,
                format!("`{name}` is given twice: remove one of them"),
            );
        } else {
            self.named.insert(name, argument);
        }
    }
}

fn argument(
    attribute: AttrName,
    input: ParseStream<'_>,
    errors: &mut Errors,
) -> syn::Result<Argument> {
    let name = Ident::parse_any(input)?;
    let known = attribute.argument(&name.unraw().to_string());
    let example = known.map_or_else(|_| attribute.example(), ArgName::example);
    let value = if input.peek(Token![=]) && !input.peek(Token![==]) {
        input.parse::<Token![=]>()?;
        if input.is_empty() || input.peek(Token![,]) {
            errors.at(&name, format!("the value is missing: write `{example}`"));
            Value::Reported
        } else {
            match input.parse::<Expr>() {
                Ok(value) => Value::Assigned(Box::new(value)),
                Err(error) => {
                    errors.push(error);
                    skip_to_comma(input)?;
                    Value::Reported
                }
            }
        }
    } else if input.is_empty() || input.peek(Token![,]) {
        Value::Flag
    } else if input.peek(Ident::peek_any) || input.peek(LitStr) {
        // A comma is missing; `separator` reports it.
        Value::Flag
    } else {
        let message = format!("expected `,` or `=` after `{name}`: write `{example}`");
        errors.push(syn::Error::new(input.span(), message));
        skip_to_comma(input)?;
        Value::Reported
    };
    Ok(Argument { name, value })
}

/// Parses a path that makes up a whole argument.
fn path(input: ParseStream<'_>) -> Option<Path> {
    let path = input.parse().ok()?;
    (input.is_empty() || input.peek(Token![,])).then_some(path)
}

/// Consumes the comma between two arguments. Reports a missing comma and continues.
fn separator(input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<()> {
    if input.is_empty() {
        return Ok(());
    }
    if input.peek(Token![,]) {
        input.parse::<Token![,]>()?;
        return Ok(());
    }
    errors.push(input.error("expected `,` between two arguments"));
    if input.peek(Token![;]) {
        input.parse::<Token![;]>()?;
    } else if !input.peek(Ident::peek_any) && !input.peek(LitStr) {
        skip_to_comma(input)?;
        input.parse::<Option<Token![,]>>()?;
    }
    Ok(())
}

fn skip_to_comma(input: ParseStream<'_>) -> syn::Result<()> {
    while !input.is_empty() && !input.peek(Token![,]) {
        input.parse::<TokenTree>()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
