//! A checked policy → the limited handler. Nothing here can fail.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::{FnArg, GenericParam, Signature, Type, spanned::Spanned};

use crate::{
    check::Policy,
    expand_label::{self, Context},
    expand_rule,
    handler::Handler,
    imports,
    rule::Quota,
};

/// More elements than this and a tuple is no extractor.
const LARGEST_TUPLE: usize = 16;

/// The handler under its own name, taking the one argument that cannot fail, around the handler as
/// it was written.
pub(crate) fn expand(handler: Handler, policy: &Policy) -> TokenStream {
    let before = handler.limits_before();
    let uses = imports::uses(&handler);
    let Handler {
        attributes,
        visibility,
        signature,
        body,
        ..
    } = handler;
    let (outer, inner): (Vec<_>, Vec<_>) = attributes
        .into_iter()
        .partition(|attribute| !names_arguments(attribute));

    let context = Context {
        handler: &signature.ident,
        before,
    };
    let labels = expand_label::labels(policy, &context);
    let items = expand_rule::items(policy, &labels);
    let rules = expand_rule::rules(policy, &labels);
    let limited = policy
        .rules
        .iter()
        .filter(|rule| matches!(rule.quota, Quota::Limited(_)));
    let gate = Handler::gate(before + limited.count());
    let call = call(&signature);
    let args = located(signature.paren_token.span.join());
    let serve = quote_spanned!(args=> ::actix_throttle::__private::serve);
    let wait = quote_spanned!(args=> .await);
    let respond = quote_spanned!(answer(&signature)=> ::actix_throttle::__private::respond);
    let Signature {
        ident, generics, ..
    } = &signature;
    let where_clause = &generics.where_clause;

    quote! {
        #(#outer)*
        #visibility async fn #ident #generics (
            #gate: ::actix_throttle::__private::Gate
        ) -> ::actix_throttle::__private::HttpResponse #where_clause {
            #(#inner)*
            #signature #body

            #uses
            #items
            static __THROTTLE_POLICY: ::actix_throttle::__private::Policy =
                ::actix_throttle::__private::Policy::new(
                    || ::actix_throttle::__private::vec![#(#rules),*]
                );

            #serve(#gate, &__THROTTLE_POLICY, #call, #respond) #wait
        }
    }
}

/// Whether an attribute speaks of the handler's arguments and so has to stay with them: `tracing`'s
/// `#[instrument(skip(pool), fields(%id))]`. All others, routes above all, belong to the function
/// that is called.
fn names_arguments(attribute: &syn::Attribute) -> bool {
    let last = attribute.path().segments.last();
    last.is_some_and(|segment| segment.ident == "instrument")
}

/// Where an error goes about what the handler returns.
fn answer(signature: &Signature) -> Span {
    match &signature.output {
        syn::ReturnType::Type(_, ty) => located(ty.span()),
        syn::ReturnType::Default => located(signature.ident.span()),
    }
}

/// A place in the user's code, for tokens that the user did not write.
///
/// Lints look at who wrote the tokens, errors at the place.
pub(crate) fn located(span: Span) -> Span {
    span.resolved_at(Span::mixed_site())
}

/// The closure that calls the handler as it was written with what has been extracted.
fn call(signature: &Signature) -> TokenStream {
    let types: Vec<&Type> = signature
        .inputs
        .iter()
        .filter_map(|input| match input {
            FnArg::Typed(argument) => Some(&*argument.ty),
            FnArg::Receiver(_) => None,
        })
        .collect();
    let names: Vec<Ident> = (0..types.len())
        .map(|index| format_ident!("__throttle_argument_{index}", span = Span::mixed_site()))
        .collect();
    let pattern = nest(names.iter().map(ToTokens::to_token_stream).collect());
    let extracted = nest(types.iter().map(ToTokens::to_token_stream).collect());
    let handler = &signature.ident;
    let turbofish = turbofish(signature);
    quote!(|#pattern: #extracted| #handler #turbofish (#(#names),*))
}

/// A tuple; of tuples, where one would be too large.
fn nest(mut elements: Vec<TokenStream>) -> TokenStream {
    while elements.len() > LARGEST_TUPLE {
        elements = elements
            .chunks(LARGEST_TUPLE)
            .map(|chunk| quote!((#(#chunk,)*)))
            .collect();
    }
    quote!((#(#elements,)*))
}

/// The generic arguments, passed on. Lifetimes are left to the compiler, which wants it so.
fn turbofish(signature: &Signature) -> TokenStream {
    let arguments: Vec<_> = signature
        .generics
        .params
        .iter()
        .filter_map(|param| match param {
            GenericParam::Type(param) => Some(&param.ident),
            GenericParam::Const(param) => Some(&param.ident),
            GenericParam::Lifetime(_) => None,
        })
        .collect();
    if arguments.is_empty() {
        TokenStream::new()
    } else {
        quote!(::<#(#arguments),*>)
    }
}
