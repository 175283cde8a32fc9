//! What each limit of a handler is called and where it counts, defaults filled in.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::{LitStr, ext::IdentExt};

use crate::{
    check::Policy,
    rule::{Quota, Rule},
    stack,
};

/// The name and the zone of a limit.
pub(crate) struct Label {
    pub(crate) name: LitStr,
    pub(crate) zone: Zone,
}

/// Where a limit counts.
pub(crate) enum Zone {
    Written(LitStr),
    /// In the handler's own, which the runtime finds out; apart from others there, by this text.
    Own(Option<String>),
}

impl Zone {
    /// The zone, for calls of the runtime. `own` is the static that knows the handler's.
    pub(crate) fn call(&self, own: &TokenStream) -> TokenStream {
        match self {
            Self::Written(zone) => quote!(#zone),
            Self::Own(None) => quote!(#own.get()),
            Self::Own(Some(apart)) => quote!(#own.apart(#apart)),
        }
    }
}

/// One for each rule; `None` for a group without a limit.
pub(crate) fn labels(policy: &Policy, handler: &Ident) -> Vec<Option<Label>> {
    let mut ordinal = 0;
    let label = |(place, rule): (usize, &Rule)| match &rule.quota {
        Quota::Unlimited(_) => None,
        Quota::Limited(limited) => {
            ordinal += 1;
            let zone = match &limited.label.zone {
                Some(zone) => Zone::Written(zone.clone()),
                None => Zone::Own(stack::apart(&policy.rules, place)),
            };
            Some(Label {
                name: name(limited.label.name.as_ref(), ordinal, handler),
                zone,
            })
        }
    };
    policy.rules.iter().enumerate().map(label).collect()
}

/// The handler's name; for further limits with their number behind it.
fn name(given: Option<&LitStr>, ordinal: usize, handler: &Ident) -> LitStr {
    given.cloned().unwrap_or_else(|| {
        let handler = handler.unraw().to_string();
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
