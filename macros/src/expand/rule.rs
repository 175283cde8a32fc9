//! Emits the rules of a handler as calls of the runtime's builders.

use actix_throttle_core::status_set::StatusSet;
use proc_macro2::TokenStream;
use quote::quote;

use super::{
    consts::{Form, count, duration, variant},
    label::{Label, Zone},
};
use crate::check::{
    identifier::Identifier,
    rate::{LimitSource, RateSpec},
    rule::{LimitSpec, Limited, Rule, RuleQuota},
    slow_down::SlowDownSpec,
};

/// Paths that generated code uses.
pub(crate) struct Runtime<'a> {
    pub(crate) private: &'a TokenStream,
    /// The static with the handler's own zone.
    pub(crate) own_zone: &'a TokenStream,
}

/// Emits one rule with its `limit`; `None` for a limit that is only named.
pub(crate) fn rule(
    rule: &Rule,
    label: Option<&Label>,
    limit: Option<TokenStream>,
    runtime: &Runtime<'_>,
) -> TokenStream {
    let private = runtime.private;
    let identifier = rule.identifier.as_ref().map(|it| identifier(it, private));
    match &rule.quota {
        RuleQuota::Unlimited(group) => {
            quote!(#private::Rule::unlimited(#group) #identifier)
        }
        RuleQuota::Limited(limited) => {
            let Limited {
                spec,
                group,
                skip_if,
                on_limited,
                failure_mode,
                max_wait,
                label: _,
            } = &**limited;
            let start = start(spec, label, limit, runtime);
            let charge = charge(spec, private);
            let group = group.as_ref().map(|group| quote!(.group(#group)));
            let skip_if = skip_if.as_ref().map(|path| quote!(.skip_by(#path)));
            let on_limited = on_limited.as_ref().map(|path| quote!(.on_limited(#path)));
            let failure_mode = failure_mode
                .map(variant)
                .map(|mode| quote!(.failure_mode(#private::FailureMode::#mode)));
            let max_wait = max_wait
                .map(duration)
                .map(|duration| quote!(.max_wait(#duration)));
            quote! {
                #start #identifier #group #charge #skip_if #on_limited #failure_mode #max_wait
            }
        }
    }
}

/// Emits the rule with its limit. A written limit already has its name, and its zone if the user
/// wrote one. A rule without a written limit takes both defaults from the runtime's
/// `Rule::defaults(self, name: &'static str, zone: &'static str) -> Self`.
fn start(
    spec: &LimitSpec,
    label: Option<&Label>,
    limit: Option<TokenStream>,
    runtime: &Runtime<'_>,
) -> TokenStream {
    let private = runtime.private;
    let zone = label.map(|label| label.zone.call(runtime.own_zone));
    let limit = match label.map(|label| &label.zone) {
        Some(Zone::Own(_)) => quote!(#limit.zone(#zone)),
        Some(Zone::Written(_)) | None => quote!(#limit),
    };
    let rate = match spec {
        LimitSpec::Rate(rate) => rate,
        LimitSpec::Concurrency(_) => return quote!(#private::Rule::concurrency(#limit)),
    };
    match &rate.numbers {
        LimitSource::Written(_) => quote!(#private::Rule::new(#limit)),
        LimitSource::NamedOr(named, _) => quote!(#private::Rule::named(#named).fallback(#limit)),
        LimitSource::Named(named) => {
            let name = label.map(|label| &label.name);
            quote!(#private::Rule::named(#named).defaults(#name, #zone))
        }
    }
}

/// Emits what a request is charged. A concurrency limit has no cost.
fn charge(spec: &LimitSpec, private: &TokenStream) -> Option<TokenStream> {
    let LimitSpec::Rate(rate) = spec else {
        return None;
    };
    let RateSpec {
        cost,
        refund_on,
        settle,
        dynamic,
        slow_down,
        numbers: _,
    } = &**rate;
    let cost = cost.as_ref().map(|path| quote!(.cost_by(#path)));
    let refund_on = refund_on.as_ref().map(|it| self::refund_on(it, private));
    let dynamic = dynamic.as_ref().map(|path| quote!(.dynamic_by(#path)));
    let settle = settle.then(|| quote!(.settle()));
    let slow_down = slow_down.as_ref().map(|SlowDownSpec { after, by, max }| {
        let after = count(after, Form::Inline);
        let (by, max) = (duration(*by), duration(*max));
        quote!(.slow_after(#after).slow_by(#by).slow_max(#max))
    });
    Some(quote!(#cost #refund_on #settle #dynamic #slow_down))
}

fn identifier(identifier: &Identifier, private: &TokenStream) -> TokenStream {
    let identifier = match identifier {
        Identifier::Function(path) => quote!(#path),
        Identifier::Static(path) => quote!(&#path),
        built_in => self::built_in(built_in, private),
    };
    quote!(.identifier(#identifier))
}

/// Emits an expression of the runtime's type `Identifier`.
fn built_in(identifier: &Identifier, private: &TokenStream) -> TokenStream {
    let into = |value: TokenStream| quote!(#private::IntoIdentifier::into_identifier(#value));
    match identifier {
        Identifier::Plain(source) => quote!(#private::Identifier::#source()),
        Identifier::Named(source, name) => quote!(#private::Identifier::#source(#name)),
        Identifier::Function(path) => into(quote!(#path)),
        Identifier::Static(path) => into(quote!(&#path)),
        Identifier::All(parts) => {
            let parts = parts.iter().map(|part| built_in(part, private));
            quote!(#private::Identifier::all([#(#parts),*]))
        }
    }
}

fn refund_on(statuses: &StatusSet, private: &TokenStream) -> TokenStream {
    let ranges = statuses.as_ranges().iter().map(|(first, last)| {
        let [first, last] = [*first, *last].map(proc_macro2::Literal::u16_unsuffixed);
        quote!((#first, #last))
    });
    quote!(.refund_on(#private::StatusSet::ranges(&[#(#ranges),*])))
}
