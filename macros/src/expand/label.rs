//! Resolves the name and the zone of each limit of a handler, with defaults.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::{LitStr, ext::IdentExt};

use crate::check::{
    handler_rules::HandlerRules,
    rule::{Rule, RuleQuota},
    stack,
};

/// The name and the zone of a limit.
pub(crate) struct Label {
    pub(crate) name: LitStr,
    pub(crate) zone: Zone,
}

/// The zone in which a limit counts.
pub(crate) enum Zone {
    Written(LitStr),
    /// The handler's own zone, which the runtime determines. The text separates this limit from
    /// other limits in it.
    Own(Option<String>),
}

impl Zone {
    /// Emits the call that sets the zone, if the user wrote one.
    pub(crate) fn if_written(&self) -> Option<TokenStream> {
        match self {
            Self::Written(zone) => Some(quote!(.zone(#zone))),
            Self::Own(_) => None,
        }
    }

    /// Emits the zone for calls of the runtime. `own` is the static with the handler's own zone.
    pub(crate) fn call(&self, own: &TokenStream) -> TokenStream {
        match self {
            Self::Written(zone) => quote!(#zone),
            Self::Own(None) => quote!(#own.get()),
            Self::Own(Some(apart)) => quote!(#own.apart(#apart)),
        }
    }
}

/// Returns one label for each rule; `None` for an unlimited group.
pub(crate) fn labels(rules: &HandlerRules, handler: &Ident) -> Vec<Option<Label>> {
    let mut ordinal = 0;
    let label = |(index, rule): (usize, &Rule)| match &rule.quota {
        RuleQuota::Unlimited(_) => None,
        RuleQuota::Limited(limited) => {
            ordinal += 1;
            let zone = match &limited.label.zone {
                Some(zone) => Zone::Written(zone.clone()),
                None => Zone::Own(stack::zone_suffix(&rules.list, index)),
            };
            Some(Label {
                name: name(limited.label.name.as_ref(), ordinal, handler),
                zone,
            })
        }
    };
    rules.list.iter().enumerate().map(label).collect()
}

/// Returns the given name, or the handler's name, with a number from the second limit on.
fn name(given: Option<&LitStr>, ordinal: usize, handler: &Ident) -> LitStr {
    given.cloned().unwrap_or_else(|| {
        let handler = handler.unraw().to_string();
        // The name goes into a header, so it must be ASCII.
        let handler = handler.replace(|c: char| !c.is_ascii(), "_");
        let name = if ordinal == 1 {
            handler
        } else {
            format!("{handler}-{ordinal}")
        };
        LitStr::new(&name, Span::call_site())
    })
}
