//! Emits the limited handler: the signature, the extraction of arguments and the original body.

use proc_macro2::{Group, Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::{
    AttrStyle, Attribute, FnArg, Pat, PatType, Signature, Type, Visibility,
    parse::{ParseStream, Parser},
    spanned::Spanned,
};

use super::{
    handler_rules::{self, Limits},
    imports, label,
    returned::Returned,
    spans::{at, located},
};
use crate::{check::handler_rules::HandlerRules, handler::Handler};

/// The longest tuple for which Actix implements `FromRequest`.
const LARGEST_TUPLE: usize = 16;

/// Emits the handler under its own name, with one argument, a `Limited`, whose extraction cannot
/// fail.
///
/// The original body becomes an `async` block inside the new function, not an inner function. So it
/// can use `Self` and the generic parameters of the handler and of a surrounding `impl`.
///
/// The future is never `Send`, because the request is not.
pub(crate) fn expand(handler: Handler, checked: &HandlerRules) -> TokenStream {
    let uses = imports::uses(&handler);
    let returned = Returned::new(&handler.signature.output);
    let traits = returned.uses(&handler.signature.generics);
    let Handler {
        attributes,
        visibility,
        signature,
        body,
        ..
    } = handler;
    let krate = &checked.krate;
    let private = quote!(#krate::__private);

    let labels = label::labels(checked, &signature.ident);
    let limits = Limits::new(checked, &labels, &signature, &private);
    let items = handler_rules::items(&limits);
    let rules = handler_rules::rules(&limits);

    let arguments: Vec<&PatType> = signature
        .inputs
        .iter()
        .filter_map(|input| match input {
            FnArg::Typed(argument) => Some(argument),
            FnArg::Receiver(_) => None,
        })
        .collect();
    let types = nest(arguments.iter().map(|it| it.ty.to_token_stream()).collect());
    let call = call(&arguments, &returned.ty, &body, &private);
    let args = located(signature.paren_token.span.join());
    let limited = Ident::new("limited", args);
    let limited_type = at(args, quote!(#private::Limited));
    let run_limited = at(args, quote!(#private::run_limited));
    let wait = quote_spanned!(args=> .await);
    let respond = at(response(&signature), quote!(#private::respond));
    let visibility = unlinted(&visibility);
    let Signature {
        ident, generics, ..
    } = &signature;
    let where_clause = &generics.where_clause;

    quote! {
        #(#attributes)*
        #[allow(clippy::async_yields_async, clippy::future_not_send)]
        #visibility async fn #ident #generics (
            #limited: #limited_type<#types>
        ) -> #private::HttpResponse #where_clause {
            #uses
            #traits
            #items
            #run_limited(#limited, #rules, #call, #respond) #wait
        }
    }
}

/// Returns the span for errors about the handler's return type.
fn response(signature: &Signature) -> Span {
    match &signature.output {
        syn::ReturnType::Type(_, ty) => located(ty.span()),
        syn::ReturnType::Default => located(signature.ident.span()),
    }
}

/// Marks the visibility as generated. A function whose first token is the user's counts as the
/// user's code for lints, which then report generated code.
fn unlinted(visibility: &Visibility) -> Visibility {
    let mut visibility = visibility.clone();
    match &mut visibility {
        Visibility::Public(token) => token.span = located(token.span),
        Visibility::Restricted(restricted) => {
            restricted.pub_token.span = located(restricted.pub_token.span);
        }
        Visibility::Inherited => {}
    }
    visibility
}

/// Emits the closure that runs the original handler with the extracted values.
fn call(
    arguments: &[&PatType],
    returned: &Type,
    body: &Group,
    private: &TokenStream,
) -> TokenStream {
    let names: Vec<Ident> = (0..arguments.len())
        .map(|index| format_ident!("__throttle_argument_{index}", span = Span::mixed_site()))
        .collect();
    let pattern = nest(names.iter().map(ToTokens::to_token_stream).collect());
    let bindings = arguments.iter().zip(&names).map(|(argument, name)| {
        let PatType { attrs, pat, .. } = argument;
        // Each argument stays alive until the handler ends, as in an `async fn`, including parts
        // that its pattern does not bind.
        let whole = match &**pat {
            Pat::Ident(_) => None,
            _ => Some(quote!(let #name = #name;)),
        };
        quote!(#whole #(#attrs)* let #pat = #name;)
    });
    let (attributes, body) = inner_attributes(body);
    let value = format_ident!("__throttle_returned", span = Span::mixed_site());
    // The binding drops temporaries of the body's last expression before the arguments, as an
    // `async fn` does. The body stays a separate block: otherwise a one-line body has needless
    // braces, and a diverging body has no value.
    quote! {
        |#pattern| #private::typed::<#returned, _>(async move {
            #(#bindings)*
            #(#attributes)*
            #[allow(unused_braces, clippy::diverging_sub_expression)]
            let #value: #returned = #body;
            #[allow(unreachable_code)]
            #value
        })
    }
}

/// Splits inner attributes off the body, and turns them into outer attributes of a statement.
fn inner_attributes(body: &Group) -> (Vec<Attribute>, Group) {
    let read = |input: ParseStream<'_>| {
        let attributes = Attribute::parse_inner(input)?;
        Ok((attributes, input.parse::<TokenStream>()?))
    };
    match Parser::parse2(read, body.stream()) {
        Ok((attributes, rest)) if !attributes.is_empty() => {
            let mut group = Group::new(body.delimiter(), rest);
            group.set_span(body.span());
            let outer = attributes.into_iter().map(|attribute| Attribute {
                style: AttrStyle::Outer,
                ..attribute
            });
            (outer.collect(), group)
        }
        _ => (Vec::new(), body.clone()),
    }
}

/// Builds a tuple, or a tuple of tuples if one would be too long.
fn nest(mut elements: Vec<TokenStream>) -> TokenStream {
    while elements.len() > LARGEST_TUPLE {
        elements = elements
            .chunks(LARGEST_TUPLE)
            .map(|chunk| quote!((#(#chunk,)*)))
            .collect();
    }
    quote!((#(#elements,)*))
}
