//! The numbers of a limit → a constant expression of the runtime's type.

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

/// Where the numbers of a limit stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// In a constant. What is wrong with a number is said of that number alone.
    Constant,
    /// In an expression, for numbers that speak of `Self` or of generic parameters: constants cannot.
    Inline,
}

/// One limit as a constant expression, which fails the build at `anchor` if it is not valid. A zone
/// that is not written is left out.
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

/// The call that names the zone, if it is written.
pub(crate) fn zone(label: &Label) -> Option<TokenStream> {
    match &label.zone {
        Zone::Written(zone) => Some(quote!(.zone(#zone))),
        Zone::Own(_) => None,
    }
}

/// A `u32`. The block gives the user's expression its type and nothing of ours to refer to.
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

/// A `Duration`, in microseconds as the runtime counts them.
pub(crate) fn duration(duration: Duration) -> TokenStream {
    let micros = duration.as_secs() * 1_000_000 + u64::from(duration.subsec_micros());
    let micros = proc_macro2::Literal::u64_unsuffixed(micros);
    quote!(::core::time::Duration::from_micros(#micros))
}

/// A `Duration`. The sum saturates: what is out of range is then for `expect_valid` to say.
fn window(window: &Window, form: Form) -> TokenStream {
    let literal = window.literal_micros;
    let computed = window.computed.iter().map(|(unit, expr)| {
        let count = count(&Number::Const(Box::new(expr.clone())), form);
        quote!(.saturating_add((#count as ::core::primitive::u64).saturating_mul(#unit)))
    });
    quote!(::core::time::Duration::from_micros(#literal #(#computed)*))
}

/// The expressions in a limit that the compiler has to evaluate, if there are any.
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

/// `function(arguments)` placed from the first to the last of `tokens`, for the compiler to point
/// there if the call fails the build.
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
