//! What keeps the imports of collected attributes in use.

use proc_macro2::TokenStream;
use quote::quote_spanned;
use syn::spanned::Spanned;

use crate::{expand::located, handler::Handler};

/// Names each collected attribute that is not the one being expanded.
///
/// The compiler never sees what another attribute has collected: it would warn of an import that
/// nothing uses, and not miss one that is absent.
pub(crate) fn uses(handler: &Handler) -> TokenStream {
    let others = handler
        .stacked()
        .filter(|(name, _)| *name != handler.attribute);
    let uses = others.map(|(_, attribute)| {
        let path = attribute.path();
        // A missing import is an error at the attribute that wants it.
        quote_spanned! {located(path.span())=>
            #[allow(unused_imports)]
            use #path as _;
        }
    });
    uses.collect()
}
