//! The attribute being expanded, and the mark by which an expansion knows that it has moved last.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::quote;

/// The first argument of an attribute that has moved last. All attributes still next to it are
/// inert: the compiler has expanded the macros.
const MARK: &str = "__put_last";

/// The attribute being expanded.
pub(crate) struct Own {
    pub(crate) arguments: TokenStream,
    /// Whether `reapply` has already moved it below other attributes.
    pub(crate) is_last: bool,
}

impl Own {
    /// Takes the mark off the tokens between the attribute's parentheses.
    pub(crate) fn parse(tokens: TokenStream) -> Self {
        let (arguments, is_last) = unmark(tokens);
        Self { arguments, is_last }
    }
}

/// Returns the mark, to stand before the arguments.
pub(crate) fn mark() -> TokenStream {
    let mark = Ident::new(MARK, Span::call_site());
    quote!(#mark,)
}

/// Returns the original arguments, and whether the attribute has moved last.
pub(crate) fn unmark(arguments: TokenStream) -> (TokenStream, bool) {
    let mut tokens = arguments.clone().into_iter();
    match (tokens.next(), tokens.next()) {
        (Some(TokenTree::Ident(mark)), Some(TokenTree::Punct(_))) if mark == MARK => {
            (tokens.collect(), true)
        }
        _ => (arguments, false),
    }
}
