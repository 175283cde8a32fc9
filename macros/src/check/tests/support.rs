//! What the tests of this module share.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use crate::{
    attribute::AttrName,
    check::{Policy, check},
    expand_label::{self, Context, Label},
    expand_rule,
    handler::Handler,
};

/// What is said about these arguments on an innocent handler.
pub(super) fn said(arguments: TokenStream) -> Vec<String> {
    said_on(
        arguments,
        quote!(
            async fn handler() -> String {
                String::new()
            }
        ),
    )
}

pub(super) fn said_on(arguments: TokenStream, item: TokenStream) -> Vec<String> {
    said_by(AttrName::RateLimit, arguments, item)
}

/// What this attribute says.
pub(super) fn said_by(
    attribute: AttrName,
    arguments: TokenStream,
    item: TokenStream,
) -> Vec<String> {
    let handler = match Handler::parse(attribute, item) {
        Ok(handler) => handler,
        Err(not) => return vec![not.error.to_string()],
    };
    match check(arguments, &handler) {
        Ok(_) => Vec::new(),
        Err(errors) => errors.into_iter().map(|error| error.to_string()).collect(),
    }
}

pub(super) fn assert_said(said: &[String], starts: &[&str]) {
    assert_eq!(said.len(), starts.len(), "{said:#?}");
    for (said, start) in said.iter().zip(starts) {
        assert!(said.starts_with(start), "{said} / {start}");
    }
}

/// The calls that the rules of `login` are built by: those of this attribute and of the `stacked`
/// ones, without spaces.
pub(super) fn calls(arguments: TokenStream, stacked: TokenStream) -> syn::Result<String> {
    let policy = policy(arguments, stacked)?;
    let labels = labels(&policy);
    let rules = expand_rule::rules(&policy, &labels);
    Ok(unspaced(&quote!(#(#rules),*)))
}

/// The constants that those rules are made of, without spaces.
pub(super) fn constants(arguments: TokenStream, stacked: TokenStream) -> syn::Result<String> {
    let policy = policy(arguments, stacked)?;
    Ok(unspaced(&expand_rule::items(&policy, &labels(&policy))))
}

fn policy(arguments: TokenStream, stacked: TokenStream) -> syn::Result<Policy> {
    let handler = Handler::parse(
        AttrName::RateLimit,
        quote!(
            #stacked
            async fn login() {}
        ),
    );
    let handler = handler.map_err(|not| not.error)?;
    check(arguments, &handler)
}

fn labels(policy: &Policy) -> Vec<Option<Label>> {
    let context = Context {
        handler: &format_ident!("login"),
        before: 0,
    };
    expand_label::labels(policy, &context)
}

fn unspaced(tokens: &TokenStream) -> String {
    tokens.to_string().replace(' ', "")
}
