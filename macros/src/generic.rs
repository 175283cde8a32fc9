//! What an item inside a function cannot speak of.

use proc_macro2::{TokenStream, TokenTree};
use syn::{GenericParam, Generics};

/// Whether `Self` or one of these parameters is among the tokens.
pub(crate) fn speaks_of(generics: &Generics, tokens: TokenStream) -> bool {
    // The name of a lifetime is behind a token of its own.
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
