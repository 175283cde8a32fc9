//! The item under the attribute: a handler, or something that is none.

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{
    Attribute, FnArg, Meta, Pat, Signature, Visibility,
    parse::{Parse, ParseStream, Parser},
};

use crate::attribute::AttrName;

/// The function to be limited.
///
/// The body stays unparsed: it is not ours to understand, and newer syntax than `syn` knows passes.
pub(crate) struct Handler {
    /// The one of ours that is being expanded.
    pub(crate) attribute: AttrName,
    /// The attributes that are not ours.
    pub(crate) attributes: Vec<Attribute>,
    /// Those of ours that stand below that one, in order.
    pub(crate) stacked: Vec<(AttrName, Attribute)>,
    pub(crate) visibility: Visibility,
    pub(crate) signature: Signature,
    pub(crate) body: Group,
}

/// An item that cannot be limited, with the reason.
pub(crate) struct NotAHandler {
    /// The item as it stood, without further attributes of ours.
    pub(crate) item: TokenStream,
    pub(crate) error: syn::Error,
}

/// What the single argument of an expanded handler is called, before the number of its limits.
const GATE: &str = "__throttle_gate_";

impl Handler {
    /// Reads what stands below the attribute of this name.
    pub(crate) fn parse(attribute: AttrName, item: TokenStream) -> Result<Self, NotAHandler> {
        let read = |input: ParseStream<'_>| {
            let read = read(attribute, input);
            // What an unreadable item leaves behind is no error of its own.
            input.parse::<TokenStream>()?;
            Ok(read)
        };
        match Parser::parse2(read, item.clone()) {
            Ok(read) => read,
            // Not even the attributes are readable.
            Err(error) => Err(NotAHandler { item, error }),
        }
    }

    /// How many limits an earlier expansion has put on this handler.
    ///
    /// An attribute under another name (`use … as`, or out of a `cfg_attr`) is not collected by the
    /// one above it; it finds that one's output instead.
    pub(crate) fn limits_before(&self) -> usize {
        let mut inputs = self.signature.inputs.iter();
        match (inputs.next(), inputs.next()) {
            (Some(FnArg::Typed(argument)), None) => match &*argument.pat {
                Pat::Ident(pattern) => {
                    let name = pattern.ident.to_string();
                    name.strip_prefix(GATE)
                        .and_then(|count| count.parse().ok())
                        .unwrap_or(0)
                }
                _ => 0,
            },
            _ => 0,
        }
    }

    /// The argument's name for a handler with this many limits.
    pub(crate) fn gate(limits: usize) -> Ident {
        Ident::new(&format!("{GATE}{limits}"), proc_macro2::Span::mixed_site())
    }
}

fn read(name: AttrName, input: ParseStream<'_>) -> Result<Handler, NotAHandler> {
    let mut attributes = Vec::new();
    let mut stacked = Vec::new();
    for attribute in input.call(Attribute::parse_outer).unwrap_or_default() {
        match AttrName::of(&attribute) {
            Some(name) => stacked.push((name, attribute)),
            None => attributes.push(attribute),
        }
    }
    let rest = input.fork();
    match function(name, input) {
        Ok((visibility, signature, body)) => Ok(Handler {
            attribute: name,
            attributes,
            stacked,
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

/// The block, also out of the invisible group that a `macro_rules!` variable puts around it.
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

/// What stands between the parentheses of a stacked attribute.
pub(crate) fn arguments(name: AttrName, attribute: &Attribute) -> syn::Result<TokenStream> {
    match &attribute.meta {
        Meta::Path(_) => Ok(TokenStream::new()),
        Meta::List(list) => Ok(list.tokens.clone()),
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
