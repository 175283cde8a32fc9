//! Emits numbers and durations, as they stand in constants of a limit.

use std::{fmt::Debug, time::Duration};

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};

use crate::check::value::Number;

/// The form in which a limit's numbers are emitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// A constant. An invalid number gives an error at that number alone.
    Constant,
    /// An inline expression, for numbers that use `Self` or generic parameters. Constant items
    /// cannot use them.
    Inline,
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

/// Emits the name of an enum's variant, which is what its derived `Debug` prints.
pub(crate) fn variant(value: impl Debug) -> Ident {
    Ident::new(&format!("{value:?}"), Span::call_site())
}
