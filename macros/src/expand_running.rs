//! Emits the numbers of a concurrency limit as a constant expression of the runtime's
//! `Concurrency`.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};

use crate::{
    expand_label::Label,
    expand_limit::{Form, call_at, count, duration, zone},
    running::Running,
};

/// Emits one concurrency limit, without a zone unless the user wrote one. An invalid limit fails
/// the build with an error at `anchor`.
pub(crate) fn running(
    running: &Running,
    label: &Label,
    anchor: &TokenStream,
    form: Form,
    private: &TokenStream,
) -> TokenStream {
    let name = &label.name;
    let zone = zone(label);
    let max = count(&running.max, form);
    let expiry = running
        .expiry
        .map(duration)
        .map(|duration| quote!(.expiry(#duration)));
    let shadow = running.shadow.then(|| quote!(.shadow()));
    let value = quote! {
        #private::Concurrency::new(#max)
            #expiry .name(#name) #zone #shadow
    };
    let place = match running.max.known() {
        Some(_) => anchor.clone(),
        None => running.max.to_token_stream(),
    };
    let valid = quote!(#private::Concurrency::expect_valid);
    call_at(&place, &valid, &value)
}
