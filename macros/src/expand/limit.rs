//! Emits the numbers of a rate limit as a constant expression of the runtime's `Limit`.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};

use super::{
    consts::{Form, count, duration, variant},
    label::Label,
    spans::call_at,
};
use crate::check::{limit::WrittenLimit, value::Number, window::Window};

/// Emits one limit, without a zone unless the user wrote one. An invalid limit fails the build with
/// an error at `anchor`.
pub(crate) fn limit(
    limit: &WrittenLimit,
    label: &Label,
    anchor: &TokenStream,
    form: Form,
    private: &TokenStream,
) -> TokenStream {
    let count = |number: &Number| count(number, form);
    let name = &label.name;
    let zone = label.zone.if_written();
    let times = count(&limit.times);
    let base = match limit.window.every.map(variant) {
        Some(period) => {
            let zone = limit
                .time_zone
                .as_ref()
                .map(|zone| quote!(.time_zone(#zone)));
            quote!(#private::Limit::every(#private::Period::#period, #times) #zone)
        }
        None => {
            let window = window(&limit.window, form);
            let algorithm = variant(limit.algorithm.unwrap_or_default());
            quote! {
                #private::Limit::new(#times, #window).algorithm(#private::Algorithm::#algorithm)
            }
        }
    };
    let refill = limit
        .refill
        .map(variant)
        .map(|refill| quote!(.refill(#private::Refill::#refill)));
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
    let block = limit.block.as_deref().map(|lengths| match lengths {
        [length] => {
            let length = duration(*length);
            quote!(.block(#length))
        }
        lengths => {
            let lengths = lengths.iter().copied().map(duration);
            quote!(.block_steps(&[#(#lengths),*]))
        }
    });
    let lease = limit
        .lease
        .as_ref()
        .map(&count)
        .map(|count| quote!(.lease(#count)));
    let shadow = limit.shadow.then(|| quote!(.shadow()));
    let limit_value = quote! {
        #base
            #capacity #refill #cost .name(#name) #zone #block #lease #shadow
    };
    let valid = quote!(#private::Limit::expect_valid);
    call_at(
        &computed(limit).unwrap_or_else(|| anchor.clone()),
        &valid,
        &limit_value,
    )
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
pub(crate) fn computed(limit: &WrittenLimit) -> Option<TokenStream> {
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
