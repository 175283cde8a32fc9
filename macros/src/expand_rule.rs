//! The rules of a policy → calls of the runtime's builders.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};

use crate::{
    check::Policy,
    expand_label::Label,
    expand_limit::{call_at, duration, limit},
    expand_running::running,
    failure_mode::FailureMode,
    identifier::Identifier,
    rule::{Bound, Limited, Quota, Rule},
    stack::SHARED,
    started::{Numbers, Started},
    statuses::Statuses,
};

/// A constant for each limit that is written, so that its numbers are checked when the crate is
/// built, and an assertion for each pair that only the compiler can tell apart.
pub(crate) fn items(policy: &Policy, labels: &[Option<Label>]) -> TokenStream {
    let rules = policy.rules.iter().zip(labels).enumerate();
    let limits = rules.filter_map(|(place, (rule, label))| {
        let Quota::Limited(limited) = &rule.quota else {
            return None;
        };
        let constant = constant(place);
        let (label, anchor) = (label.as_ref()?, &rule.anchor);
        let (type_name, value) = match &limited.bound {
            Bound::Started(started) => (
                quote!(Limit),
                limit(started.numbers.written()?, label, anchor),
            ),
            Bound::Running(bound) => (quote!(Concurrency), running(bound, label, anchor)),
        };
        Some(quote! {
            const #constant: ::actix_throttle::__private::#type_name = #value;
        })
    });
    let limits: TokenStream = limits.collect();
    let assertions = policy.undecided.iter().map(|pair| {
        let (first, second) = (constant(pair.first), constant(pair.second));
        let anchor = &policy.rules[pair.second].anchor;
        let differ = quote!(#first.window_micros() != #second.window_micros());
        let assert = call_at(anchor, &quote!(::core::assert!), &quote!(#differ, #SHARED));
        quote!(const _: () = #assert;)
    });
    let assertions: TokenStream = assertions.collect();
    quote!(#limits #assertions)
}

/// The rules, in order.
pub(crate) fn rules(
    policy: &Policy,
    labels: &[Option<Label>],
) -> impl Iterator<Item = TokenStream> {
    let rules = policy.rules.iter().zip(labels).enumerate();
    rules.map(|(place, (rule, label))| self::rule(rule, label.as_ref(), &constant(place)))
}

fn constant(place: usize) -> Ident {
    format_ident!("__THROTTLE_LIMIT_{}", place + 1, span = Span::mixed_site())
}

fn rule(rule: &Rule, label: Option<&Label>, constant: &Ident) -> TokenStream {
    let identifier = rule.identifier.as_ref().map(identifier);
    match &rule.quota {
        Quota::Unlimited(group) => {
            quote!(::actix_throttle::__private::Rule::unlimited(#group) #identifier)
        }
        Quota::Limited(limited) => {
            let Limited {
                bound,
                group,
                skip_if,
                on_limited,
                failure_mode,
                max_wait,
                label: _,
            } = &**limited;
            let start = start(bound, label, constant);
            let charge = charge(bound);
            let group = group.as_ref().map(|group| quote!(.group(#group)));
            let skip_if = skip_if.as_ref().map(|path| quote!(.skip_if(#path)));
            let on_limited = on_limited.as_ref().map(|path| quote!(.on_limited(#path)));
            let failure_mode = failure_mode.map(self::failure_mode);
            let max_wait = max_wait
                .map(duration)
                .map(|duration| quote!(.max_wait(#duration)));
            quote! {
                #start #identifier #group #charge #skip_if #on_limited #failure_mode #max_wait
            }
        }
    }
}

/// The rule with its limit. A written one has its name and zone with it, for what the configuration
/// leaves open; without one they are told, by the runtime's
/// `Rule::defaults(self, name: &'static str, zone: &'static str) -> Self`.
fn start(bound: &Bound, label: Option<&Label>, constant: &Ident) -> TokenStream {
    let started = match bound {
        Bound::Started(started) => started,
        Bound::Running(_) => {
            return quote!(::actix_throttle::__private::Rule::concurrency(#constant));
        }
    };
    match &started.numbers {
        Numbers::Written(_) => quote!(::actix_throttle::__private::Rule::new(#constant)),
        Numbers::NamedOr(named, _) => {
            quote!(::actix_throttle::__private::Rule::named(#named).or(#constant))
        }
        Numbers::Named(named) => {
            let defaults = label.map(|Label { name, zone }| quote!(.defaults(#name, #zone)));
            quote!(::actix_throttle::__private::Rule::named(#named) #defaults)
        }
    }
}

/// What a request is charged; what runs has no price.
fn charge(bound: &Bound) -> Option<TokenStream> {
    let Bound::Started(started) = bound else {
        return None;
    };
    let Started {
        cost,
        refund_on,
        dynamic,
        numbers: _,
    } = &**started;
    let cost = cost.as_ref().map(|path| quote!(.cost(#path)));
    let refund_on = refund_on.as_ref().map(self::refund_on);
    let dynamic = dynamic.as_ref().map(|path| quote!(.dynamic(#path)));
    Some(quote!(#cost #refund_on #dynamic))
}

fn identifier(identifier: &Identifier) -> TokenStream {
    match identifier {
        Identifier::Plain(source) => {
            quote!(.identifier(::actix_throttle::__private::Identifier::#source()))
        }
        Identifier::Named(source, name) => {
            quote!(.identifier(::actix_throttle::__private::Identifier::#source(#name)))
        }
        Identifier::Function(path) => quote!(.identifier(#path)),
        Identifier::Static(path) => quote!(.identifier(&#path)),
    }
}

fn refund_on(statuses: &Statuses) -> TokenStream {
    let ranges = statuses.ranges().map(|(first, last)| {
        let [first, last] = [first, last].map(proc_macro2::Literal::u16_unsuffixed);
        quote!((#first, #last))
    });
    quote!(.refund_on(::actix_throttle::__private::Statuses::ranges(&[#(#ranges),*])))
}

fn failure_mode(mode: FailureMode) -> TokenStream {
    let mode = match mode {
        FailureMode::Open => quote!(Open),
        FailureMode::Closed => quote!(Closed),
        FailureMode::Local => quote!(Local),
    };
    quote!(.failure_mode(::actix_throttle::__private::FailureMode::#mode))
}
