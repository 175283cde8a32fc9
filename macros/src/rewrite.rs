//! Runs the steps of an expansion in order. The two attributes call it.

use proc_macro2::TokenStream;

use crate::{
    attribute::AttrName, check::handler_rules, expand, fallback, handler::Handler, own::Own,
    reapply,
};

/// Returns the limited item, or the original item next to the errors.
pub(crate) fn rewrite(
    attribute: AttrName,
    arguments: TokenStream,
    item: TokenStream,
) -> TokenStream {
    let own = Own::parse(arguments);
    let handler = match Handler::parse(attribute, item) {
        Ok(handler) => handler,
        Err(not) => return fallback::item(not),
    };
    match handler_rules::check(&own, &handler) {
        Err(errors) => fallback::handler(handler, &errors),
        Ok(rules) => reapply::reapply(&handler, &own, &rules.krate)
            .unwrap_or_else(|| expand::handler::expand(handler, &rules)),
    }
}

#[cfg(test)]
mod tests;
