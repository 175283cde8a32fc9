//! The rules of a policy → calls of the runtime's builders.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::{LitStr, ext::IdentExt};

use crate::{
    check::Policy,
    expand::located,
    failure_mode::FailureMode,
    identifier::Identifier,
    limit::{Algorithm, Limit, Refill},
    rule::{Limited, Quota, Rule},
    stack::{self, SHARED},
    value::Number,
    window::Window,
};

/// What a limit's defaults are made of.
pub(crate) struct Context<'a> {
    pub(crate) handler: &'a Ident,
    /// How many limits earlier expansions have put on the handler.
    pub(crate) before: usize,
}

/// A constant for each limit, so that its numbers are checked when the crate is built, and an
/// assertion for each pair that only the compiler can tell apart.
pub(crate) fn items(policy: &Policy, context: &Context<'_>) -> TokenStream {
    let mut count = context.before;
    let limits = policy
        .rules
        .iter()
        .enumerate()
        .filter_map(|(place, rule)| match &rule.quota {
            Quota::Unlimited(_) => None,
            Quota::Limited(limited) => {
                count += 1;
                let constant = constant(place);
                let apart = stack::apart(&policy.rules, place);
                let zone = zone(limited.limit.zone.as_ref(), apart, context);
                let value = limit(&limited.limit, &rule.anchor, count, &zone, context);
                Some(quote! {
                    const #constant: ::actix_throttle::__private::Limit = #value;
                })
            }
        });
    let limits: TokenStream = limits.collect();
    let assertions = policy.undecided.iter().map(|pair| {
        let (first, second) = (constant(pair.first), constant(pair.second));
        let anchor = &policy.rules[pair.second].anchor;
        let differ = quote!(#first.window_micros() != #second.window_micros());
        let assert = call_at(anchor, &quote!(::core::assert!), &quote!(#differ, #SHARED));
        quote!(const _: () = #assert;)
    });
    let assertions: TokenStream = assertions.collect();
    quote!(#limits #assertions)
}

/// The rules, in order.
pub(crate) fn rules(policy: &Policy) -> impl Iterator<Item = TokenStream> + '_ {
    policy
        .rules
        .iter()
        .enumerate()
        .map(|(place, rule)| self::rule(rule, place))
}

fn constant(place: usize) -> Ident {
    format_ident!("__THROTTLE_LIMIT_{}", place + 1, span = Span::mixed_site())
}

fn rule(rule: &Rule, place: usize) -> TokenStream {
    let identifier = rule.identifier.as_ref().map(identifier);
    match &rule.quota {
        Quota::Unlimited(group) => {
            quote!(::actix_throttle::__private::Rule::unlimited(#group) #identifier)
        }
        Quota::Limited(limited) => {
            let Limited {
                group,
                cost,
                skip_if,
                dynamic,
                on_limited,
                failure_mode,
                ..
            } = &**limited;
            let constant = constant(place);
            let group = group.as_ref().map(|group| quote!(.group(#group)));
            let cost = cost.as_ref().map(|path| quote!(.cost(#path)));
            let skip_if = skip_if.as_ref().map(|path| quote!(.skip_if(#path)));
            let dynamic = dynamic.as_ref().map(|path| quote!(.dynamic(#path)));
            let on_limited = on_limited.as_ref().map(|path| quote!(.on_limited(#path)));
            let failure_mode = failure_mode.map(self::failure_mode);
            quote! {
                ::actix_throttle::__private::Rule::new(#constant)
                    #identifier #group #cost #skip_if #dynamic #on_limited #failure_mode
            }
        }
    }
}

fn identifier(identifier: &Identifier) -> TokenStream {
    match identifier {
        Identifier::Plain(source) => {
            quote!(.identifier(::actix_throttle::__private::Identifier::#source()))
        }
        Identifier::Named(source, name) => {
            quote!(.identifier(::actix_throttle::__private::Identifier::#source(#name)))
        }
        Identifier::Function(path) => quote!(.identifier(#path)),
    }
}

fn failure_mode(mode: FailureMode) -> TokenStream {
    let mode = match mode {
        FailureMode::Open => quote!(Open),
        FailureMode::Closed => quote!(Closed),
        FailureMode::Local => quote!(Local),
    };
    quote!(.failure_mode(::actix_throttle::__private::FailureMode::#mode))
}

/// One limit as a constant expression. `ordinal` counts the handler's limits from 1.
fn limit(
    limit: &Limit,
    anchor: &TokenStream,
    ordinal: usize,
    zone: &TokenStream,
    context: &Context<'_>,
) -> TokenStream {
    let times = count(&limit.times);
    let window = window(&limit.window);
    let algorithm = algorithm(limit.algorithm);
    let refill = (limit.refill == Refill::Interval)
        .then(|| quote!(.refill(::actix_throttle::__private::Refill::Interval)));
    let capacity = limit
        .capacity
        .as_ref()
        .map(count)
        .map(|count| quote!(.capacity(#count)));
    let cost = limit
        .cost
        .as_ref()
        .map(count)
        .map(|count| quote!(.cost(#count)));
    let name = name(limit.name.as_ref(), ordinal, context);
    let block = limit.block.map(|block| {
        let (seconds, nanos) = (block.as_secs(), block.subsec_nanos());
        quote!(.block(::core::time::Duration::new(#seconds, #nanos)))
    });
    let lease = limit
        .lease
        .as_ref()
        .map(count)
        .map(|count| quote!(.lease(#count)));
    let shadow = limit.shadow.then(|| quote!(.shadow()));
    let limit_value = quote! {
        ::actix_throttle::__private::Limit::new(#times, #window)
            .algorithm(::actix_throttle::__private::Algorithm::#algorithm)
            #capacity #refill #cost .name(#name).zone(#zone) #block #lease #shadow
    };
    let valid = quote!(::actix_throttle::__private::Limit::expect_valid);
    call_at(
        &computed(limit).unwrap_or_else(|| anchor.clone()),
        &valid,
        &limit_value,
    )
}

fn algorithm(algorithm: Algorithm) -> Ident {
    let name = match algorithm {
        Algorithm::SlidingWindow => "SlidingWindow",
        Algorithm::SlidingWindowCounter => "SlidingWindowCounter",
        Algorithm::FixedWindow => "FixedWindow",
        Algorithm::TokenBucket => "TokenBucket",
        Algorithm::LeakyBucket => "LeakyBucket",
    };
    Ident::new(name, Span::call_site())
}

/// A `u32`. The block gives the user's expression its type and nothing of ours to refer to.
fn count(number: &Number) -> TokenStream {
    match number {
        Number::Known { .. } => number.to_token_stream(),
        Number::Const(expr) => quote!({
            const __THROTTLE_NUMBER: ::core::primitive::u32 = #expr;
            __THROTTLE_NUMBER
        }),
    }
}

/// A `Duration`. The sum saturates: what is out of range is then for `expect_valid` to say.
fn window(window: &Window) -> TokenStream {
    let literal = window.literal_micros;
    let computed = window.computed.iter().map(|(unit, expr)| {
        let count = count(&Number::Const(Box::new(expr.clone())));
        quote!(.saturating_add((#count as ::core::primitive::u64).saturating_mul(#unit)))
    });
    quote!(::core::time::Duration::from_micros(#literal #(#computed)*))
}

/// The handler's name; for further limits with their number behind it.
fn name(given: Option<&LitStr>, ordinal: usize, context: &Context<'_>) -> LitStr {
    given.cloned().unwrap_or_else(|| {
        let handler = context.handler.unraw().to_string();
        // Like a name that is given: it goes into a header, which is ASCII.
        let handler = handler.replace(|c: char| !c.is_ascii(), "_");
        let name = if ordinal == 1 {
            handler
        } else {
            format!("{handler}-{ordinal}")
        };
        LitStr::new(&name, Span::call_site())
    })
}

/// The handler's full path, apart from what an earlier expansion has put there and from limits
/// that it could be confused with.
fn zone(given: Option<&LitStr>, apart: Option<String>, context: &Context<'_>) -> TokenStream {
    if let Some(zone) = given {
        return zone.to_token_stream();
    }
    let handler = context.handler.unraw().to_string();
    let mut zone = match context.before {
        0 => handler,
        before => format!("{handler}-{}", before + 1),
    };
    if let Some(apart) = apart {
        zone = format!("{zone}@{apart}");
    }
    quote!(::core::concat!(::core::module_path!(), "::", #zone))
}

/// The expressions in a limit that the compiler has to evaluate, if there are any.
fn computed(limit: &Limit) -> Option<TokenStream> {
    let counts = [
        Some(&limit.times),
        limit.capacity.as_ref(),
        limit.cost.as_ref(),
        limit.lease.as_ref(),
    ];
    let counts = counts
        .into_iter()
        .flatten()
        .filter(|count| count.known().is_none());
    let windows = limit
        .window
        .computed
        .iter()
        .map(|(_, expr)| expr.to_token_stream());
    let all: TokenStream = counts
        .map(ToTokens::to_token_stream)
        .chain(windows)
        .collect();
    (!all.is_empty()).then_some(all)
}

/// `function(arguments)` placed from the first to the last of `tokens`, for the compiler to point
/// there if the call fails the build.
fn call_at(tokens: &TokenStream, function: &TokenStream, arguments: &TokenStream) -> TokenStream {
    let mut spans = tokens.clone().into_iter().map(|token| token.span());
    let first = spans.next().unwrap_or_else(Span::call_site);
    let last = spans.last().unwrap_or(first);
    let function: TokenStream = function
        .clone()
        .into_iter()
        .map(|mut token| {
            token.set_span(located(first));
            token
        })
        .collect();
    let mut group = Group::new(Delimiter::Parenthesis, arguments.clone());
    group.set_span(located(last));
    quote_spanned!(located(first)=> #function #group)
}
