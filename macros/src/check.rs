//! Raw arguments and function → a policy that can be expanded, or all mistakes at once.

use proc_macro2::TokenStream;
use quote::ToTokens;

use crate::{
    args::Arguments,
    errors::Errors,
    handler::{self, Handler},
    rule::Rule,
    signature, stack,
};

/// All rules of one handler, without a mistake.
pub(crate) struct Policy {
    pub(crate) rules: Vec<Rule>,
    pub(crate) undecided: Vec<stack::Undecided>,
}

/// Checks the attribute being expanded, those stacked below it, and the function.
///
/// # Errors
///
/// Every mistake found, each at its own tokens.
pub(crate) fn check(arguments: TokenStream, handler: &Handler) -> syn::Result<Policy> {
    let mut errors = Errors::default();
    // Without a path of its own, an error lands on the attribute as a whole.
    let own = Arguments::parse(
        handler.attribute,
        arguments,
        TokenStream::new(),
        &mut errors,
    );
    let mut rules: Vec<_> = Rule::check(own, &mut errors).into_iter().collect();
    for (name, attribute) in &handler.stacked {
        if let Some(tokens) = errors.ok(handler::arguments(*name, attribute)) {
            let path = attribute.path().to_token_stream();
            let arguments = Arguments::parse(*name, tokens, path, &mut errors);
            rules.extend(Rule::check(arguments, &mut errors));
        }
    }
    signature::check(&handler.signature, &mut errors);
    let undecided = stack::check(&rules, &mut errors);
    errors.finish()?;
    Ok(Policy { rules, undecided })
}

#[cfg(test)]
mod tests;
