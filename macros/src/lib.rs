//! The attributes of `actix-throttle`, which re-exports them: depend on that crate alone.
//!
//! An expansion has steps. `args` parses the arguments, and `check` reports every error. `reapply`
//! moves the attribute below those of other crates. `expand` emits the limited handler and cannot
//! fail; `fallback` emits the original handler next to the errors.
//!
//! The crate `tests/attributes` runs the examples in `docs/`. They need actix-throttle, and as a
//! dependency of a macro it would be built twice, with all that it needs.
#![cfg_attr(feature = "document-features", doc = document_features::document_features!())]
#![forbid(unsafe_code)]

mod args;
mod attribute;
mod check;
mod conditional;
mod errors;
mod expand;
mod fallback;
mod handler;
mod name;
mod own;
mod reapply;
mod rewrite;
mod spelling;

use proc_macro::TokenStream;

use crate::{attribute::AttrName, rewrite::rewrite};

#[cfg_attr(not(doctest), doc = include_str!("docs/rate_limit.md"))]
#[proc_macro_attribute]
pub fn rate_limit(arguments: TokenStream, item: TokenStream) -> TokenStream {
    rewrite(AttrName::RateLimit, arguments.into(), item.into()).into()
}

#[cfg_attr(not(doctest), doc = include_str!("docs/concurrency_limit.md"))]
#[proc_macro_attribute]
pub fn concurrency_limit(arguments: TokenStream, item: TokenStream) -> TokenStream {
    rewrite(AttrName::ConcurrencyLimit, arguments.into(), item.into()).into()
}
