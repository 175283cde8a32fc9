//! `#[cfg(...)]` and `#[cfg_attr(...)]` that an expansion depends on.
//!
//! Only the compiler can evaluate a condition. So `reapply` emits the handler twice, once for each
//! outcome, without that condition, and each copy is expanded again.

use proc_macro2::{TokenStream, TokenTree};
use quote::quote;
use syn::{
    Attribute, Meta, Token,
    parse::{ParseStream, Parser},
    punctuated::Punctuated,
};

/// A `#[cfg_attr]`.
pub(crate) struct Conditional {
    pub(crate) attribute: Attribute,
    pub(crate) condition: TokenStream,
    pub(crate) attributes: Vec<Meta>,
}

impl Conditional {
    /// Parses a `#[cfg_attr]`; `None` for any other attribute and for one that cannot be parsed.
    pub(crate) fn parse(attribute: &Attribute) -> Option<Self> {
        let list = match &attribute.meta {
            Meta::List(list) if list.path.is_ident("cfg_attr") => list,
            _ => return None,
        };
        let read = |input: ParseStream<'_>| {
            let condition = condition(input)?;
            let attributes = Punctuated::<Meta, Token![,]>::parse_terminated(input)?;
            Ok((condition, attributes.into_iter().collect()))
        };
        let (condition, attributes) = Parser::parse2(read, list.tokens.clone()).ok()?;
        Some(Self {
            attribute: attribute.clone(),
            condition,
            attributes,
        })
    }

    pub(crate) fn any(&self, which: impl Fn(&Meta) -> bool) -> bool {
        self.attributes.iter().any(which)
    }

    /// Returns the attributes that replace this one if the condition holds.
    pub(crate) fn resolved(&self) -> TokenStream {
        let attributes = &self.attributes;
        quote!(#(#[#attributes])*)
    }
}

/// Returns the condition of a `#[cfg]`.
pub(crate) fn cfg(attribute: &Attribute) -> Option<TokenStream> {
    match &attribute.meta {
        Meta::List(list) if list.path.is_ident("cfg") => Some(list.tokens.clone()),
        _ => None,
    }
}

/// Emits both variants; the compiler keeps the one whose condition holds.
pub(crate) fn either(
    condition: &TokenStream,
    holds: &TokenStream,
    fails: &TokenStream,
) -> TokenStream {
    quote! {
        #[cfg(#condition)]
        #holds
        #[cfg(not(#condition))]
        #fails
    }
}

/// Parses the condition, up to and including the first comma.
fn condition(input: ParseStream<'_>) -> syn::Result<TokenStream> {
    let mut condition = TokenStream::new();
    while !input.is_empty() && !input.peek(Token![,]) {
        condition.extend([input.parse::<TokenTree>()?]);
    }
    input.parse::<Token![,]>()?;
    Ok(condition)
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    #[test]
    fn reads_condition_and_attributes() {
        let attribute =
            parse_quote!(#[cfg_attr(any(test, feature = "x"), allow(unused), a::b("c"),)]);
        let conditional = Conditional::parse(&attribute).expect("a `cfg_attr`");
        let condition = conditional.condition.to_string();
        assert_eq!(condition, quote!(any(test, feature = "x")).to_string());
        let resolved = conditional.resolved().to_string();
        assert_eq!(resolved, quote!(#[allow(unused)] #[a::b("c")]).to_string());

        let attribute = parse_quote!(#[cfg_attr(true, allow(unused))]);
        let conditional = Conditional::parse(&attribute).expect("a `cfg_attr`");
        assert_eq!(conditional.condition.to_string(), "true");

        assert!(Conditional::parse(&parse_quote!(#[cfg(test)])).is_none());
        assert!(Conditional::parse(&parse_quote!(#[cfg_attr(test)])).is_none());
    }
}
