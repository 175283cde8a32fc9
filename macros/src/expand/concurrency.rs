//! Emits the numbers of a concurrency limit as a constant expression of the runtime's
//! `Concurrency`.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};

use super::{
    consts::{Form, count, duration},
    label::Label,
    spans::call_at,
};
use crate::check::concurrency::ConcurrencySpec;

/// Emits one concurrency limit, without a zone unless the user wrote one. An invalid limit fails
/// the build with an error at `anchor`.
pub(crate) fn concurrency(
    spec: &ConcurrencySpec,
    label: &Label,
    anchor: &TokenStream,
    form: Form,
    private: &TokenStream,
) -> TokenStream {
    let name = &label.name;
    let zone = label.zone.if_written();
    let max = count(&spec.max, form);
    let expiry = spec
        .expiry
        .map(duration)
        .map(|duration| quote!(.expiry(#duration)));
    let shadow = spec.shadow.then(|| quote!(.shadow()));
    let value = quote! {
        #private::Concurrency::new(#max)
            #expiry .name(#name) #zone #shadow
    };
    let anchor = match spec.max.known() {
        Some(_) => anchor.clone(),
        None => spec.max.to_token_stream(),
    };
    let valid = quote!(#private::Concurrency::expect_valid);
    call_at(&anchor, &valid, &value)
}
