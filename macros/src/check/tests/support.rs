//! Helpers for the tests of this module.

use proc_macro2::TokenStream;
use quote::quote;

use crate::{
    attribute::AttrName,
    check::handler_rules::check,
    expand::{
        handler_rules::{self, Limits},
        label,
    },
    handler::Handler,
    own::Own,
};

/// Returns the errors of these arguments on a valid handler.
pub(super) fn errors_of(arguments: TokenStream) -> Vec<String> {
    errors_on(
        arguments,
        quote!(
            async fn handler() -> String {
                String::new()
            }
        ),
    )
}

pub(super) fn errors_on(arguments: TokenStream, item: TokenStream) -> Vec<String> {
    errors_by(AttrName::RateLimit, arguments, item)
}

/// Returns the errors of this attribute on this item.
pub(super) fn errors_by(
    attribute: AttrName,
    arguments: TokenStream,
    item: TokenStream,
) -> Vec<String> {
    let handler = match Handler::parse(attribute, item) {
        Ok(handler) => handler,
        Err(not) => return vec![not.error.to_string()],
    };
    match check(&own(arguments), &handler) {
        Ok(_) => Vec::new(),
        Err(errors) => errors.into_iter().map(|error| error.to_string()).collect(),
    }
}

pub(super) fn assert_errors(errors: &[String], starts: &[&str]) {
    assert_eq!(errors.len(), starts.len(), "{errors:#?}");
    for (error, start) in errors.iter().zip(starts) {
        assert!(error.starts_with(start), "{error} / {start}");
    }
}

/// Returns the calls that build the rules of `login`, without spaces: the rules of this attribute
/// and of the `stacked` ones.
pub(super) fn calls(arguments: TokenStream, stacked: TokenStream) -> syn::Result<String> {
    expanded(arguments, stacked, |limits| {
        let calls = handler_rules::calls(limits);
        quote!(#(#calls),*)
    })
}

/// Returns the items that those calls use, without spaces.
pub(super) fn items(arguments: TokenStream, stacked: TokenStream) -> syn::Result<String> {
    expanded(arguments, stacked, handler_rules::items)
}

fn expanded(
    arguments: TokenStream,
    stacked: TokenStream,
    expand: impl Fn(&Limits<'_>) -> TokenStream,
) -> syn::Result<String> {
    let handler = handler(stacked)?;
    let rules = check(&own(arguments), &handler)?;
    let labels = label::labels(&rules, &handler.signature.ident);
    let private = quote!(::actix_throttle::__private);
    let limits = Limits::new(&rules, &labels, &handler.signature, &private);
    Ok(expand(&limits).to_string().replace(' ', ""))
}

fn handler(stacked: TokenStream) -> syn::Result<Handler> {
    let handler = Handler::parse(
        AttrName::RateLimit,
        quote!(
            #stacked
            async fn login() {}
        ),
    );
    handler.map_err(|not| not.error)
}

pub(super) fn own(arguments: TokenStream) -> Own {
    Own {
        arguments,
        is_last: false,
    }
}
