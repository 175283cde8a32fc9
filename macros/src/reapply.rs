//! Reapplies the attribute to its handler, for another expansion.
//!
//! Other attribute macros must see the original handler: they document its arguments, or log them.
//! So where such attributes stand below, this attribute moves below them. Conditions are resolved
//! in this way, too; see [`conditional`].

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::{Attribute, FnArg, Meta, Path, Signature};

use crate::{
    attribute::AttrName,
    conditional::{self, Conditional},
    handler::{Handler, Ours},
    own::{Own, mark},
};

/// Built-in attributes of functions, which expand to nothing.
const INERT: [&str; 20] = [
    "allow",
    "cfg",
    "cold",
    "coverage",
    "deny",
    "deprecated",
    "doc",
    "expect",
    "export_name",
    "forbid",
    "inline",
    "instruction_set",
    "link_section",
    "must_use",
    "no_mangle",
    "optimize",
    "target_feature",
    "track_caller",
    "unsafe",
    "warn",
];

/// Tools whose attributes the compiler ignores.
const TOOLS: [&str; 5] = ["clippy", "diagnostic", "miri", "rust_analyzer", "rustfmt"];

/// The attribute being expanded, to be emitted again.
struct Again<'a> {
    name: AttrName,
    own: &'a Own,
    krate: &'a Path,
}

/// Returns the handler with its attribute reapplied, or `None` if it can be expanded now.
pub(crate) fn reapply(handler: &Handler, own: &Own, krate: &Path) -> Option<TokenStream> {
    let again = Again {
        name: handler.attribute,
        own,
        krate,
    };
    if !own.is_last && handler.attributes.iter().any(is_foreign) {
        let above = handler.ours.iter().filter(|ours| ours.is_from_above());
        let below = handler.ours.iter().filter(|ours| !ours.is_from_above());
        let own = again.move_last();
        let own = quote!(#(#above)* #own);
        return Some(item(handler, &own, &quote!(#(#below)*), &handler.signature));
    }
    if let Some(resolved) = without_conditional(handler, &again) {
        return Some(resolved);
    }
    without_condition_of_argument(handler, &again)
}

/// Resolves the first `#[cfg_attr]` with an attribute of this crate.
fn without_conditional(handler: &Handler, again: &Again<'_>) -> Option<TokenStream> {
    let mut ours = handler.ours.iter();
    let index = ours.position(|ours| matches!(ours, Ours::Conditional(_)))?;
    let (before, rest) = handler.ours.split_at(index);
    let [Ours::Conditional(conditional), after @ ..] = rest else {
        return None;
    };
    // The resolved attributes may include a macro that must see the original handler.
    let foreign = conditional.any(|meta| AttrName::of(meta.path()).is_none() && is_macro(meta));
    let own = if foreign {
        again.rebuilt()
    } else {
        again.as_it_is()
    };
    let resolved = conditional.resolved();
    let signature = &handler.signature;
    let holds = item(
        handler,
        &own,
        &quote!(#(#before)* #resolved #(#after)*),
        signature,
    );
    let fails = item(handler, &own, &quote!(#(#before)* #(#after)*), signature);
    Some(conditional::either(&conditional.condition, &holds, &fails))
}

/// Resolves the first condition on an argument.
fn without_condition_of_argument(handler: &Handler, again: &Again<'_>) -> Option<TokenStream> {
    let (condition, holds, fails) = resolve_argument(&handler.signature)?;
    let (own, ours) = (again.as_it_is(), &handler.ours);
    let ours = quote!(#(#ours)*);
    let holds = item(handler, &own, &ours, &holds);
    let fails = item(handler, &own, &ours, &fails);
    Some(conditional::either(&condition, &holds, &fails))
}

/// Returns a condition, and the signatures for when it holds and when it fails.
fn resolve_argument(signature: &Signature) -> Option<(TokenStream, Signature, Signature)> {
    for (index, input) in signature.inputs.iter().enumerate() {
        let FnArg::Typed(argument) = input else {
            continue;
        };
        for (attribute_index, attribute) in argument.attrs.iter().enumerate() {
            let with = |attributes: Vec<Attribute>| {
                let mut signature = signature.clone();
                if let Some(FnArg::Typed(argument)) = signature.inputs.get_mut(index) {
                    argument
                        .attrs
                        .splice(attribute_index..=attribute_index, attributes);
                }
                signature
            };
            if let Some(condition) = conditional::cfg(attribute) {
                let mut without = signature.clone();
                let inputs = without.inputs.into_iter().enumerate();
                let others = inputs.filter(|(other, _)| *other != index);
                without.inputs = others.map(|(_, input)| input).collect();
                return Some((condition, with(Vec::new()), without));
            }
            let Some(conditional) = Conditional::parse(attribute) else {
                continue;
            };
            if conditional
                .any(|meta| meta.path().is_ident("cfg") || meta.path().is_ident("cfg_attr"))
            {
                let resolved = conditional.attributes.iter().cloned();
                let resolved = resolved.map(|meta| Attribute {
                    meta,
                    ..attribute.clone()
                });
                let holds = with(resolved.collect());
                return Some((conditional.condition, holds, with(Vec::new())));
            }
        }
    }
    None
}

fn item(
    handler: &Handler,
    own: &TokenStream,
    ours: &TokenStream,
    signature: &Signature,
) -> TokenStream {
    let Handler {
        attributes,
        visibility,
        body,
        ..
    } = handler;
    quote!(#(#attributes)* #own #ours #visibility #signature #body)
}

impl Again<'_> {
    fn move_last(&self) -> TokenStream {
        self.with(&mark())
    }

    /// Emits the attribute without the mark, so that expansion starts over.
    fn rebuilt(&self) -> TokenStream {
        self.with(&TokenStream::new())
    }

    fn as_it_is(&self) -> TokenStream {
        if self.own.is_last {
            self.move_last()
        } else {
            self.rebuilt()
        }
    }

    fn with(&self, mark: &TokenStream) -> TokenStream {
        let (arguments, krate) = (&self.own.arguments, self.krate);
        let name = Ident::new(self.name.as_str(), Span::call_site());
        quote!(#[#krate::#name(#mark #arguments)])
    }
}

/// Returns whether an attribute of another crate may be a macro.
fn is_foreign(attribute: &Attribute) -> bool {
    is_macro(&attribute.meta)
}

fn is_macro(meta: &Meta) -> bool {
    let path = meta.path();
    if path.is_ident("cfg_attr") {
        let attribute: Attribute = syn::parse_quote!(#[#meta]);
        return Conditional::parse(&attribute).is_none_or(|conditional| conditional.any(is_macro));
    }
    let Some(first) = path.segments.first() else {
        return false;
    };
    let names: &[&str] = match path.segments.len() {
        1 => &INERT,
        _ => &TOOLS,
    };
    !names.iter().any(|name| first.ident == name)
}

#[cfg(test)]
mod tests;
