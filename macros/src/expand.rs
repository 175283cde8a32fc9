//! A checked policy → the limited handler. Nothing here can fail.

use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::{
    AttrStyle, Attribute, FnArg, Pat, PatType, Signature, Type, Visibility,
    parse::{ParseStream, Parser},
    spanned::Spanned,
};

use crate::{
    check::Policy,
    expand_label,
    expand_policy::{self, Limits},
    handler::Handler,
    imports,
    returned::Returned,
};

/// More elements than this and a tuple is no extractor.
const LARGEST_TUPLE: usize = 16;

/// The handler under its own name, taking the one argument that cannot fail.
///
/// The body as it was written stands in an `async` block inside of it: there it sees `Self` and the
/// generic parameters of the handler and of an `impl` around it, as an inner function would not.
///
/// Its future is not `Send`, as the request is not, whatever that of the handler was.
pub(crate) fn expand(handler: Handler, policy: &Policy) -> TokenStream {
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
    let krate = &policy.krate;
    let private = quote!(#krate::__private);

    let labels = expand_label::labels(policy, &signature.ident);
    let limits = Limits::new(policy, &labels, &signature, &private);
    let items = expand_policy::items(&limits);
    let rules = expand_policy::rules(&limits);

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
    let serve = at(args, quote!(#private::serve));
    let wait = quote_spanned!(args=> .await);
    let respond = at(answer(&signature), quote!(#private::respond));
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
            #serve(#limited, #rules, #call, #respond) #wait
        }
    }
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

/// A path of the runtime, at a place in the user's code.
pub(crate) fn at(span: Span, path: TokenStream) -> TokenStream {
    let place = |mut token: TokenTree| {
        // It says which crate by where it comes from.
        let is_crate = matches!(&token, TokenTree::Ident(ident) if ident == "$crate");
        token.set_span(match is_crate {
            true => span.resolved_at(token.span()),
            false => located(span),
        });
        token
    };
    path.into_iter().map(place).collect()
}

/// The visibility where it stands, but as of ours: a function that begins with a token of the
/// user's is the user's for lints, which then speak of what the user has not written.
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

/// The closure that runs the handler as it was written, with what has been extracted.
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
        // Like the arguments of an `async fn`: all of each is there until the handler ends, also
        // what its pattern does not name.
        let whole = match &**pat {
            Pat::Ident(_) => None,
            _ => Some(quote!(let #name = #name;)),
        };
        quote!(#whole #(#attrs)* let #pat = #name;)
    });
    let (attributes, body) = inner_attributes(body);
    let value = format_ident!("__throttle_returned", span = Span::mixed_site());
    // Bound, for temporaries of the body's last expression to go before the arguments do, as in an
    // `async fn`. The body stays a block of its own: a block of one line would have needless
    // braces, and one that does not end would be no value.
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

/// The body without the attributes at its beginning, and these as they stand before a statement.
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
