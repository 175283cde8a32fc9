//! Spans of generated tokens: lints skip them, and errors point at the user's code.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use quote::quote_spanned;

/// Returns the user's span with the macro's hygiene, for tokens that the macro adds.
///
/// Lints skip tokens with this hygiene; errors still point at the user's code.
pub(crate) fn located(span: Span) -> Span {
    span.resolved_at(Span::mixed_site())
}

/// Returns a path of the runtime whose tokens point at a span in the user's code.
pub(crate) fn at(span: Span, path: TokenStream) -> TokenStream {
    let locate = |mut token: TokenTree| {
        // `$crate` keeps its hygiene, which identifies the crate.
        let is_crate = matches!(&token, TokenTree::Ident(ident) if ident == "$crate");
        token.set_span(if is_crate {
            span.resolved_at(token.span())
        } else {
            located(span)
        });
        token
    };
    path.into_iter().map(locate).collect()
}

/// Emits `function(arguments)` with the span of `tokens`, so that a failing call is reported there.
pub(crate) fn call_at(
    tokens: &TokenStream,
    function: &TokenStream,
    arguments: &TokenStream,
) -> TokenStream {
    let mut spans = tokens.clone().into_iter().map(|token| token.span());
    let first = spans.next().unwrap_or_else(Span::call_site);
    let last = spans.last().unwrap_or(first);
    let function = at(first, function.clone());
    let mut group = Group::new(Delimiter::Parenthesis, arguments.clone());
    group.set_span(located(last));
    quote_spanned!(located(first)=> #function #group)
}
