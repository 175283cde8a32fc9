//! Emits the item unchanged next to the errors, so that its absence causes no further errors.

use proc_macro2::TokenStream;
use quote::quote;
use syn::Token;

use crate::{
    check::signature::returns_future,
    expand::imports,
    handler::{Handler, NotAHandler, Ours},
};

/// Emits the errors and the handler without limits. Further attributes of this crate are dropped:
/// their errors have been reported.
pub(crate) fn handler(handler: Handler, errors: &syn::Error) -> TokenStream {
    let errors = errors.to_compile_error();
    let uses = imports::uses(&handler);
    let Handler {
        attributes,
        ours,
        visibility,
        mut signature,
        body,
        ..
    } = handler;
    let conditional = ours
        .iter()
        .filter(|ours| matches!(ours, Ours::Conditional(_)));
    // The missing `async` has been reported; a route attribute would report it again.
    if signature.asyncness.is_none() && !returns_future(&signature.output) {
        signature.asyncness = Some(Token![async](signature.fn_token.span));
    }
    let (lint, body) = if uses.is_empty() {
        (None, quote!(#body))
    } else {
        // The body stays a separate block: it may begin with inner attributes.
        let lint = quote!(#[allow(unused_braces)]);
        (Some(lint), quote!({ #uses #body }))
    };
    quote! {
        #errors
        #(#attributes)*
        #(#conditional)*
        #lint
        #visibility #signature #body
    }
}

/// Emits the error and the item.
pub(crate) fn item(not: NotAHandler) -> TokenStream {
    let NotAHandler { item, error } = not;
    let error = error.into_compile_error();
    quote!(#error #item)
}
