//! Keeps the imports of collected attributes in use.

use proc_macro2::TokenStream;
use quote::quote_spanned;
use syn::spanned::Spanned;

use super::spans::located;
use crate::handler::Handler;

/// Emits a use of each collected attribute other than the one being expanded.
///
/// The compiler never sees a collected attribute. Without this it would warn about an unused
/// import, and accept a missing one.
pub(crate) fn uses(handler: &Handler) -> TokenStream {
    let others = handler
        .stacked()
        .filter(|(name, _)| *name != handler.attribute);
    let uses = others.map(|(_, attribute)| {
        let path = attribute.path();
        // A missing import is reported at the attribute that needs it.
        quote_spanned! {located(path.span())=>
            #[allow(unused_imports)]
            use #path as _;
        }
    });
    uses.collect()
}
