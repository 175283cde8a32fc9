//! Parses the item under the attribute: a handler, or an item that cannot be one.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{
    Attribute, Meta, Signature, Visibility,
    parse::{Parse, ParseStream, Parser},
};

use crate::{attribute::AttrName, conditional::Conditional, own::unmark};

/// The function to limit.
///
/// The body stays unparsed: the macro does not need it, and syntax newer than `syn` knows passes.
pub(crate) struct Handler {
    /// The attribute that is being expanded.
    pub(crate) attribute: AttrName,
    /// Attributes of other crates, above and below the expanded attribute: the compiler passes both
    /// in one list.
    pub(crate) attributes: Vec<Attribute>,
    /// Further attributes of this crate, which stand below the expanded one, in order.
    pub(crate) ours: Vec<Ours>,
    pub(crate) visibility: Visibility,
    pub(crate) signature: Signature,
    pub(crate) body: Group,
}

/// A further attribute of this crate.
pub(crate) enum Ours {
    Stacked(AttrName, Attribute),
    /// Attributes in a `#[cfg_attr]`.
    Conditional(Conditional),
}

/// An item that cannot be limited, with the reason.
pub(crate) struct NotAHandler {
    /// The original item, without further attributes of this crate.
    pub(crate) item: TokenStream,
    pub(crate) error: syn::Error,
}

impl Handler {
    /// Parses the item under the given attribute.
    pub(crate) fn parse(attribute: AttrName, item: TokenStream) -> Result<Self, NotAHandler> {
        let read = |input: ParseStream<'_>| {
            let read = read(attribute, input);
            // The rest of an invalid item is consumed, so that `syn` adds no error about it.
            input.parse::<TokenStream>()?;
            Ok(read)
        };
        match Parser::parse2(read, item.clone()) {
            Ok(read) => read,
            // Even the attributes could not be parsed.
            Err(error) => Err(NotAHandler { item, error }),
        }
    }

    /// Returns the unconditional further attributes, in order.
    pub(crate) fn stacked(&self) -> impl Iterator<Item = (AttrName, &Attribute)> {
        self.ours.iter().filter_map(|ours| match ours {
            Ours::Stacked(name, attribute) => Some((*name, attribute)),
            Ours::Conditional(_) => None,
        })
    }
}

impl Ours {
    /// Returns whether this attribute stood above the expanded one, and has moved below it.
    pub(crate) fn is_from_above(&self) -> bool {
        match self {
            Self::Stacked(_, attribute) => match &attribute.meta {
                Meta::List(list) => unmark(list.tokens.clone()).1,
                Meta::Path(_) | Meta::NameValue(_) => false,
            },
            Self::Conditional(_) => false,
        }
    }
}

impl ToTokens for Ours {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        match self {
            Self::Stacked(_, attribute) => attribute.to_tokens(tokens),
            Self::Conditional(conditional) => conditional.attribute.to_tokens(tokens),
        }
    }
}

fn read(name: AttrName, input: ParseStream<'_>) -> Result<Handler, NotAHandler> {
    let mut attributes = Vec::new();
    let mut ours = Vec::new();
    for attribute in input.call(Attribute::parse_outer).unwrap_or_default() {
        if let Some(name) = AttrName::of(attribute.path()) {
            ours.push(Ours::Stacked(name, attribute));
        } else if let Some(conditional) = Conditional::parse(&attribute)
            && conditional.any(|meta| AttrName::of(meta.path()).is_some())
        {
            ours.push(Ours::Conditional(conditional));
        } else {
            attributes.push(attribute);
        }
    }
    let rest = input.fork();
    match function(name, input) {
        Ok((visibility, signature, body)) => Ok(Handler {
            attribute: name,
            attributes,
            ours,
            visibility,
            signature,
            body,
        }),
        Err(error) => {
            let rest: TokenStream = rest.parse().unwrap_or_default();
            let item = quote!(#(#attributes)* #rest);
            Err(NotAHandler { item, error })
        }
    }
}

fn function(name: AttrName, input: ParseStream<'_>) -> syn::Result<(Visibility, Signature, Group)> {
    let visibility = input.parse()?;
    let keyword = input.cursor().token_stream().into_iter().next();
    let signature = Signature::parse(input).map_err(|_| {
        let message = format!(
            "`{name}` goes on a handler, an `async fn`: \
             move the attribute to the function to be limited"
        );
        syn::Error::new_spanned(keyword, message)
    })?;
    let Some(body) = body(input.parse()?) else {
        let message = format!(
            "`{name}` needs a handler with a body: \
             move the attribute to where the function is written out"
        );
        return Err(syn::Error::new_spanned(signature, message));
    };
    Ok((visibility, signature, body))
}

/// Returns the block, also from the invisible group that a `macro_rules!` variable adds.
fn body(token: TokenTree) -> Option<Group> {
    match token {
        TokenTree::Group(group) => match group.delimiter() {
            Delimiter::Brace => Some(group),
            Delimiter::None => group.stream().into_iter().next().and_then(body),
            Delimiter::Parenthesis | Delimiter::Bracket => None,
        },
        _ => None,
    }
}

/// Returns the original tokens between the parentheses of a stacked attribute.
pub(crate) fn arguments(name: AttrName, attribute: &Attribute) -> syn::Result<TokenStream> {
    match &attribute.meta {
        Meta::Path(_) => Ok(TokenStream::new()),
        Meta::List(list) => Ok(unmark(list.tokens.clone()).0),
        Meta::NameValue(pair) => {
            let value = pair.value.to_token_stream();
            let message = match name {
                AttrName::RateLimit => format!("write `#[{name}({value})]`"),
                AttrName::ConcurrencyLimit => format!("write `#[{name}(max = {value})]`"),
            };
            Err(syn::Error::new_spanned(pair, message))
        }
    }
}
