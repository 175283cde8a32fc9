//! Emits the numbers of a rate limit as a constant expression of the runtime's `Limit`.

use std::time::Duration;

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};

use crate::{
    expand::{at, located},
    expand_label::{Label, Zone},
    limit::{Algorithm, Limit, Refill},
    value::Number,
    window::Window,
};

/// The form in which a limit's numbers are emitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// As a constant. An invalid number gives an error at that number alone.
    Constant,
    /// As an inline expression, for numbers that use `Self` or generic parameters. Constant items
    /// cannot use them.
    Inline,
}

/// Emits one limit, without a zone unless the user wrote one. An invalid limit fails the build with
/// an error at `anchor`.
pub(crate) fn limit(
    limit: &Limit,
    label: &Label,
    anchor: &TokenStream,
    form: Form,
    private: &TokenStream,
) -> TokenStream {
    let count = |number: &Number| count(number, form);
    let name = &label.name;
    let zone = zone(label);
    let times = count(&limit.times);
    let window = window(&limit.window, form);
    let algorithm = algorithm(limit.algorithm);
    let refill =
        (limit.refill == Refill::Interval).then(|| quote!(.refill(#private::Refill::Interval)));
    let capacity = limit
        .capacity
        .as_ref()
        .map(&count)
        .map(|count| quote!(.capacity(#count)));
    let cost = limit
        .cost
        .as_ref()
        .map(&count)
        .map(|count| quote!(.cost(#count)));
    let block = limit
        .block
        .map(duration)
        .map(|duration| quote!(.block(#duration)));
    let lease = limit
        .lease
        .as_ref()
        .map(&count)
        .map(|count| quote!(.lease(#count)));
    let shadow = limit.shadow.then(|| quote!(.shadow()));
    let limit_value = quote! {
        #private::Limit::new(#times, #window)
            .algorithm(#private::Algorithm::#algorithm)
            #capacity #refill #cost .name(#name) #zone #block #lease #shadow
    };
    let valid = quote!(#private::Limit::expect_valid);
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

/// Emits the call that sets the zone, if the user wrote one.
pub(crate) fn zone(label: &Label) -> Option<TokenStream> {
    match &label.zone {
        Zone::Written(zone) => Some(quote!(.zone(#zone))),
        Zone::Own(_) => None,
    }
}

/// Emits a `u32`. The block gives the user's expression this type and exposes no generated name.
pub(crate) fn count(number: &Number, form: Form) -> TokenStream {
    match number {
        Number::Known { .. } => number.to_token_stream(),
        Number::Const(expr) => {
            let keyword = match form {
                Form::Constant => quote!(const),
                Form::Inline => quote!(let),
            };
            quote!({
                #keyword __THROTTLE_NUMBER: ::core::primitive::u32 = #expr;
                __THROTTLE_NUMBER
            })
        }
    }
}

/// Emits a `Duration` in microseconds, the runtime's resolution.
pub(crate) fn duration(duration: Duration) -> TokenStream {
    let micros = duration.as_secs() * 1_000_000 + u64::from(duration.subsec_micros());
    let micros = proc_macro2::Literal::u64_unsuffixed(micros);
    quote!(::core::time::Duration::from_micros(#micros))
}

/// Emits the window as a `Duration`. The sum saturates: `expect_valid` rejects what is out of
/// range.
fn window(window: &Window, form: Form) -> TokenStream {
    let literal = window.literal_micros;
    let computed = window.computed.iter().map(|(unit, expr)| {
        let count = count(&Number::Const(Box::new(expr.clone())), form);
        quote!(.saturating_add((#count as ::core::primitive::u64).saturating_mul(#unit)))
    });
    quote!(::core::time::Duration::from_micros(#literal #(#computed)*))
}

/// Returns the expressions of a limit that only the compiler can evaluate.
pub(crate) fn computed(limit: &Limit) -> Option<TokenStream> {
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
