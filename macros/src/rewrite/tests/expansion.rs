//! Expands the attributes of this crate in a file without the compiler, and collects the errors.

use proc_macro2::{Delimiter, Group, Punct, Span, TokenStream, TokenTree};
use syn::{Attribute, LitStr, parse::Parser};

use crate::{attribute::AttrName, handler, rewrite::rewrite};

/// A `compile_error!`, with what the compiler marks in the file.
pub(super) struct Emitted {
    pub(super) message: String,
    /// The two outermost tokens, which may be the same.
    pub(super) marked: [Span; 2],
    /// The attribute that is marked as a whole, where the error has no tokens of its own.
    pub(super) whole: Option<AttrName>,
}

/// The attribute that is being expanded.
#[derive(Clone, Copy)]
struct Site {
    name: AttrName,
    marked: [Span; 2],
}

/// Returns the errors in the order in which the compiler reports them.
///
/// Attributes of this crate are expanded from the outside in, also those that an expansion emits.
/// Attributes of other crates are passed over: route attributes emit the handler as it is, and the
/// tests of `reapply` cover those that must see the original handler. Both branches of a condition
/// are expanded.
pub(super) fn errors_of(file: TokenStream) -> Vec<Emitted> {
    let mut errors = Vec::new();
    collect(file, None, &mut errors);
    errors
}

/// Collects the errors in `tokens`, which `site` has emitted.
fn collect(tokens: TokenStream, site: Option<Site>, errors: &mut Vec<Emitted>) {
    let tokens: Vec<_> = tokens.into_iter().collect();
    let mut rest = tokens.as_slice();
    while let [first, after @ ..] = rest {
        rest = after;
        match (first, after) {
            (TokenTree::Punct(hash), [TokenTree::Group(group), item @ ..])
                if hash.as_char() == '#' =>
            {
                if let Some((name, arguments)) = own(hash, group) {
                    let (item, after) = item.split_at(length_of_item(item));
                    rest = after;
                    let marked = [hash.span(), group.span()];
                    let site = site.filter(|_| is_emitted(hash.span()));
                    let site = site.unwrap_or(Site { name, marked });
                    let emitted = rewrite(name, arguments, item.iter().cloned().collect());
                    collect(emitted, Some(site), errors);
                }
            }
            (TokenTree::Ident(name), [TokenTree::Punct(_), TokenTree::Group(group), ..])
                if name == "compile_error" =>
            {
                let message: LitStr = syn::parse2(group.stream()).expect("a message");
                let site = site.filter(|_| is_emitted(name.span()));
                errors.push(Emitted {
                    message: message.value(),
                    marked: site.map_or([name.span(), group.span()], |site| site.marked),
                    whole: site.map(|site| site.name),
                });
            }
            (TokenTree::Group(group), _) => collect(group.stream(), site, errors),
            _ => {}
        }
    }
}

/// Returns whether a token is not from the file. The compiler shows such tokens where the attribute
/// stands.
fn is_emitted(span: Span) -> bool {
    span.byte_range().is_empty()
}

/// Returns an attribute of this crate, with its arguments.
fn own(hash: &Punct, group: &Group) -> Option<(AttrName, TokenStream)> {
    let attribute = [hash.clone().into(), group.clone().into()];
    let attribute = TokenStream::from_iter::<[TokenTree; 2]>(attribute);
    let [attribute] = &*Attribute::parse_outer.parse2(attribute).ok()? else {
        return None;
    };
    let name = AttrName::of(attribute.path())?;
    match attribute.meta.require_list() {
        // `handler::arguments` would take off the mark of `reapply`.
        Ok(list) => Some((name, list.tokens.clone())),
        Err(_) => Some((name, handler::arguments(name, attribute).ok()?)),
    }
}

/// Returns the number of tokens up to the block or the semicolon that ends the first item.
fn length_of_item(tokens: &[TokenTree]) -> usize {
    let ends = |token: &TokenTree| match token {
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        TokenTree::Punct(punct) => punct.as_char() == ';',
        _ => false,
    };
    let end = tokens.iter().position(ends);
    end.map_or(tokens.len(), |end| end + 1)
}
