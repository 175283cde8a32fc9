//! Checks raw arguments and the function, and returns rules that expansion cannot fail on. It is
//! called once for each expansion, and reports all errors at once.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::Path;

use super::{krate, rule::Rule, signature, stack};
use crate::{
    args::Arguments,
    errors::Errors,
    handler::{self, Handler, Ours},
    own::Own,
};

/// The rules of one handler, all valid.
pub(crate) struct HandlerRules {
    pub(crate) list: Vec<Rule>,
    pub(crate) deferred: Vec<stack::DeferredCheck>,
    /// The path to the runtime crate.
    pub(crate) krate: Path,
}

/// Checks the attribute being expanded, the attributes stacked with it, and the function.
///
/// # Errors
///
/// All errors found, combined, each at its own tokens.
pub(crate) fn check(own: &Own, handler: &Handler) -> syn::Result<HandlerRules> {
    let mut errors = Errors::default();
    let mut rules = Vec::new();
    let mut krate = None;
    let mut check = |arguments: Arguments, errors: &mut Errors| {
        let path = krate::check(&arguments, errors);
        krate = krate.take().or(path);
        rules.extend(Rule::check(arguments, errors));
    };
    let stacked = |from_above| {
        let ours = handler.ours.iter();
        let ours = ours.filter(move |ours| (!own.is_last && ours.is_from_above()) == from_above);
        ours.filter_map(|ours| match ours {
            Ours::Stacked(name, attribute) => Some((*name, attribute)),
            Ours::Conditional(_) => None,
        })
    };
    let parse = |name, attribute: &syn::Attribute, errors: &mut Errors| {
        let tokens = errors.ok(handler::arguments(name, attribute))?;
        let path = attribute.path().to_token_stream();
        Some(Arguments::parse(name, tokens, path, errors))
    };
    for (name, attribute) in stacked(true) {
        if let Some(arguments) = parse(name, attribute, &mut errors) {
            check(arguments, &mut errors);
        }
    }
    // An empty path places an error on the attribute as a whole.
    let tokens = own.arguments.clone();
    let arguments = Arguments::parse(handler.attribute, tokens, TokenStream::new(), &mut errors);
    check(arguments, &mut errors);
    for (name, attribute) in stacked(false) {
        if let Some(arguments) = parse(name, attribute, &mut errors) {
            check(arguments, &mut errors);
        }
    }
    signature::check(&handler.signature, &mut errors);
    let deferred = stack::check(&rules, &mut errors);
    errors.finish()?;
    Ok(HandlerRules {
        list: rules,
        deferred,
        krate: krate.unwrap_or_else(krate::default),
    })
}
