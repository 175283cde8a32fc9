//! How many may run at once → a constant expression of the runtime's type.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};

use crate::{
    expand_label::Label,
    expand_limit::{call_at, count, duration},
    running::Running,
};

/// One limit as a constant expression, which fails the build at `anchor` if it is not valid.
pub(crate) fn running(running: &Running, label: &Label, anchor: &TokenStream) -> TokenStream {
    let Label { name, zone } = label;
    let max = count(&running.max);
    let expiry = running
        .expiry
        .map(duration)
        .map(|duration| quote!(.expiry(#duration)));
    let shadow = running.shadow.then(|| quote!(.shadow()));
    let value = quote! {
        ::actix_throttle::__private::Concurrency::new(#max)
            #expiry .name(#name).zone(#zone) #shadow
    };
    let place = match running.max.known() {
        Some(_) => anchor.clone(),
        None => running.max.to_token_stream(),
    };
    let valid = quote!(::actix_throttle::__private::Concurrency::expect_valid);
    call_at(&place, &valid, &value)
}
