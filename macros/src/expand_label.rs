//! What each limit of a handler is called and where it counts, defaults filled in.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};
use syn::{LitStr, ext::IdentExt};

use crate::{
    check::Policy,
    rule::{Quota, Rule},
    stack,
};

/// What a limit's defaults are made of.
pub(crate) struct Context<'a> {
    pub(crate) handler: &'a Ident,
    /// How many limits earlier expansions have put on the handler.
    pub(crate) before: usize,
}

/// The name and the zone of a limit.
pub(crate) struct Label {
    pub(crate) name: LitStr,
    /// A constant expression.
    pub(crate) zone: TokenStream,
}

/// One for each rule; `None` for a group without a limit.
pub(crate) fn labels(policy: &Policy, context: &Context<'_>) -> Vec<Option<Label>> {
    let mut ordinal = context.before;
    let label = |(place, rule): (usize, &Rule)| match &rule.quota {
        Quota::Unlimited(_) => None,
        Quota::Limited(limited) => {
            ordinal += 1;
            let apart = stack::apart(&policy.rules, place);
            Some(Label {
                name: name(limited.label.name.as_ref(), ordinal, context),
                zone: zone(limited.label.zone.as_ref(), apart, context),
            })
        }
    };
    policy.rules.iter().enumerate().map(label).collect()
}

/// The handler's name; for further limits with their number behind it.
fn name(given: Option<&LitStr>, ordinal: usize, context: &Context<'_>) -> LitStr {
    given.cloned().unwrap_or_else(|| {
        let handler = context.handler.unraw().to_string();
        // Like a name that is given: it goes into a header, which is ASCII.
        let handler = handler.replace(|c: char| !c.is_ascii(), "_");
        let name = if ordinal == 1 {
            handler
        } else {
            format!("{handler}-{ordinal}")
        };
        LitStr::new(&name, Span::call_site())
    })
}

/// The handler's full path, apart from what an earlier expansion has put there and from limits
/// that it could be confused with.
fn zone(given: Option<&LitStr>, apart: Option<String>, context: &Context<'_>) -> TokenStream {
    if let Some(zone) = given {
        return zone.to_token_stream();
    }
    let handler = context.handler.unraw().to_string();
    let mut zone = match context.before {
        0 => handler,
        before => format!("{handler}-{}", before + 1),
    };
    if let Some(apart) = apart {
        zone = format!("{zone}@{apart}");
    }
    quote!(::core::concat!(::core::module_path!(), "::", #zone))
}
