//! Detects tokens that an item inside of a function cannot use.

use proc_macro2::{TokenStream, TokenTree};
use syn::{GenericParam, Generics};

/// Returns whether the tokens contain `Self` or one of these generic parameters.
pub(crate) fn speaks_of(generics: &Generics, tokens: TokenStream) -> bool {
    // A lifetime has two tokens, `'` and its name.
    let mut is_lifetime = false;
    tokens.into_iter().any(|token| {
        let of_lifetime = is_lifetime;
        is_lifetime = matches!(&token, TokenTree::Punct(punct) if punct.as_char() == '\'');
        match token {
            TokenTree::Ident(ident) => {
                (ident == "Self" && !of_lifetime)
                    || generics.params.iter().any(|param| match param {
                        GenericParam::Type(param) => param.ident == ident && !of_lifetime,
                        GenericParam::Const(param) => param.ident == ident && !of_lifetime,
                        GenericParam::Lifetime(param) => {
                            param.lifetime.ident == ident && of_lifetime
                        }
                    })
            }
            TokenTree::Group(group) => speaks_of(generics, group.stream()),
            _ => false,
        }
    })
}
