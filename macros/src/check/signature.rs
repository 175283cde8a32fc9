//! Checks whether the function can be a handler.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::{FnArg, ReturnType, Signature};

use crate::errors::Errors;

/// Reports what would keep Actix from calling this function once it is wrapped.
pub(crate) fn check(signature: &Signature, errors: &mut Errors) {
    if signature.asyncness.is_none() {
        let name = &signature.ident;
        let message = if returns_future(&signature.output) {
            format!(
                "a limited handler is an `async fn`: write `async fn {name}`, or, if another attribute \
                 has turned it into this function, limit its route by the middleware `Throttle`"
            )
        } else {
            format!("a limited handler is asynchronous: write `async fn {name}`")
        };
        errors.at(signature.fn_token, message);
    }
    if let Some(unsafety) = signature.unsafety {
        errors.at(
            unsafety,
            "Actix cannot call an unsafe handler: remove `unsafe`",
        );
    }
    if let Some(abi) = &signature.abi {
        errors.at(
            abi,
            "Actix cannot call a handler with a foreign ABI: remove `extern`",
        );
    }
    for input in &signature.inputs {
        match input {
            FnArg::Receiver(receiver) => errors.at(
                receiver,
                "Actix has no `self` to call a handler on: \
                 write a free function that takes the state as a `web::Data<...>`",
            ),
            FnArg::Typed(argument) if mentions_impl(argument.ty.to_token_stream()) => errors.at(
                &argument.ty,
                "Actix must know which type to extract: write the type's name instead of `impl`",
            ),
            FnArg::Typed(_) => {}
        }
    }
}

/// Returns whether a function without `async` seems to return a future.
pub(crate) fn returns_future(output: &ReturnType) -> bool {
    let output = output.to_token_stream().to_string();
    ["Future", "Ready"].iter().any(|name| output.contains(name))
}

fn mentions_impl(tokens: TokenStream) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == "impl",
        TokenTree::Group(group) => mentions_impl(group.stream()),
        _ => false,
    })
}
