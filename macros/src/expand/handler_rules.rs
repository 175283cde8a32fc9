//! Emits the rules of a handler: their constants, their static, and the expression for them.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::{Signature, ext::IdentExt};

use super::{
    concurrency::concurrency,
    consts::{Form, count},
    generic::speaks_of,
    label::{Label, Zone},
    limit::{self, limit},
    rule::{self, Runtime},
    spans::call_at,
};
use crate::check::{
    concurrency::ConcurrencySpec,
    handler_rules::HandlerRules,
    rule::{LimitSpec, Limited, Rule, RuleQuota},
    stack::SHARED,
};

/// The rules of a handler with everything that their expansion needs.
pub(crate) struct Limits<'a> {
    rules: &'a HandlerRules,
    labels: &'a [Option<Label>],
    private: &'a TokenStream,
    handler: &'a Ident,
    /// The limits written in attributes, by rule index. `None` for a rule without one.
    values: Vec<Option<Value>>,
    /// Whether a rule uses `Self` or a generic parameter.
    is_generic: bool,
}

/// A limit written in an attribute. It is validated at compile time.
enum Value {
    /// The type and value of a constant.
    Constant(TokenStream, TokenStream),
    /// An inline expression, for limits that use what constant items cannot.
    Inline(TokenStream),
}

impl<'a> Limits<'a> {
    pub(crate) fn new(
        rules: &'a HandlerRules,
        labels: &'a [Option<Label>],
        signature: &'a Signature,
        private: &'a TokenStream,
    ) -> Self {
        let generic = |tokens: TokenStream| speaks_of(&signature.generics, tokens);
        let labeled = rules.list.iter().zip(labels);
        let values = labeled.map(|(rule, label)| {
            let RuleQuota::Limited(limited) = &rule.quota else {
                return None;
            };
            let form = if computed(limited).is_some_and(generic) {
                Form::Inline
            } else {
                Form::Constant
            };
            let (name, value) = value(limited, label.as_ref()?, &rule.anchor, form, private)?;
            Some(match form {
                Form::Inline => Value::Inline(quote!(const { #value })),
                Form::Constant => Value::Constant(quote!(#private::#name), value),
            })
        });
        let values: Vec<_> = values.collect();
        let is_generic = values
            .iter()
            .any(|value| matches!(value, Some(Value::Inline(_))))
            || rules.list.iter().any(|rule| generic(functions(rule)));
        Self {
            rules,
            labels,
            private,
            handler: &signature.ident,
            values,
            is_generic,
        }
    }

    /// Emits the limit of the rule at this index.
    fn limit(&self, index: usize) -> Option<TokenStream> {
        self.values.get(index)?.as_ref().map(|value| match value {
            Value::Constant(..) => constant(index).to_token_stream(),
            Value::Inline(value) => value.clone(),
        })
    }
}

/// Emits a constant for each written limit, which validates its numbers at compile time; an
/// assertion for each pair of limits that only the compiler can compare; and the static with the
/// rules.
pub(crate) fn items(limits: &Limits<'_>) -> TokenStream {
    let constants = limits
        .values
        .iter()
        .enumerate()
        .filter_map(|(index, value)| {
            let Some(Value::Constant(ty, value)) = value else {
                return None;
            };
            let constant = constant(index);
            Some(quote!(const #constant: #ty = #value;))
        });
    let constants: TokenStream = constants.collect();
    let zone = zone(limits);
    let rules = rules_static(limits);
    // Assertions may be statements, and items come before statements.
    let (assertions, slow_downs) = (assertions(limits), slow_downs(limits));
    quote!(#zone #constants #rules #assertions #slow_downs)
}

/// Emits the expression for the rules.
pub(crate) fn rules(limits: &Limits<'_>) -> TokenStream {
    if limits.is_generic {
        let rules = list(limits);
        quote!(__THROTTLE_RULES.of(|| #rules))
    } else {
        quote!(&__THROTTLE_RULES)
    }
}

/// Emits the static with the handler's own zone, if a limit counts in it.
fn zone(limits: &Limits<'_>) -> Option<TokenStream> {
    let mut labels = limits.labels.iter().flatten();
    labels.find(|label| matches!(label.zone, Zone::Own(_)))?;
    let (private, handler) = (limits.private, limits.handler.unraw().to_string());
    Some(quote! {
        const fn __throttle_here() {}
        static __THROTTLE_ZONE: #private::DefaultZone = #private::DefaultZone::new(
            ::core::module_path!(),
            #handler,
            __throttle_here,
        );
    })
}

fn rules_static(limits: &Limits<'_>) -> TokenStream {
    let private = limits.private;
    if limits.is_generic {
        return quote! {
            static __THROTTLE_RULES: #private::HandlerRulesByType = #private::HandlerRulesByType::new();
        };
    }
    let rules = list(limits);
    quote! {
        static __THROTTLE_RULES: #private::HandlerRules = #private::HandlerRules::new(|| #rules);
    }
}

fn list(limits: &Limits<'_>) -> TokenStream {
    let (private, calls) = (limits.private, calls(limits));
    quote!(#private::vec![#(#calls),*])
}

/// Emits the calls that build the rules, in order.
pub(crate) fn calls(limits: &Limits<'_>) -> Vec<TokenStream> {
    let runtime = Runtime {
        private: limits.private,
        own_zone: &quote!(__THROTTLE_ZONE),
    };
    let rules = limits.rules.list.iter().zip(limits.labels).enumerate();
    let calls = rules.map(|(index, (rule, label))| {
        rule::rule(rule, label.as_ref(), limits.limit(index), &runtime)
    });
    calls.collect()
}

fn assertions(limits: &Limits<'_>) -> TokenStream {
    let assertions = limits.rules.deferred.iter().map(|pair| {
        let (first, second) = (limits.limit(pair.first), limits.limit(pair.second));
        let anchor = &limits.rules.list[pair.second].anchor;
        let differ = quote!((#first).window_micros() != (#second).window_micros());
        let assert = call_at(anchor, &quote!(::core::assert!), &quote!(#differ, #SHARED));
        let is_inline =
            |index: usize| matches!(limits.values.get(index), Some(Some(Value::Inline(_))));
        if is_inline(pair.first) || is_inline(pair.second) {
            quote!(const { #assert };)
        } else {
            quote!(const _: () = #assert;)
        }
    });
    assertions.collect()
}

/// Emits a check of each slow-down that only the compiler can make: by its own constant expression,
/// or by one of its limit.
fn slow_downs(limits: &Limits<'_>) -> TokenStream {
    let rules = limits.rules.list.iter().enumerate();
    let checks = rules.filter_map(|(index, rule)| {
        let rate = rule.rate()?;
        let slow_down = rate.slow_down.as_ref()?;
        let written = rate.numbers.written();
        let own = slow_down.after.known().is_none();
        let anchor = if own {
            slow_down.after.to_token_stream()
        } else {
            limit::computed(written?)?
        };
        let is_inline = match limits.values.get(index) {
            Some(Some(Value::Inline(_))) => true,
            Some(Some(Value::Constant(..))) => false,
            _ => limits.is_generic,
        };
        let form = if is_inline {
            Form::Inline
        } else {
            Form::Constant
        };
        let limit = match limits.limit(index) {
            Some(limit) => quote!(::core::option::Option::Some(&#limit)),
            None => quote!(::core::option::Option::None),
        };
        let after = count(&slow_down.after, form);
        let private = limits.private;
        let check = call_at(
            &anchor,
            &quote!(#private::Limit::expect_slow_after),
            &quote!(#limit, #after),
        );
        Some(if is_inline {
            quote!(const { #check };)
        } else {
            quote!(const _: () = #check;)
        })
    });
    checks.collect()
}

fn constant(index: usize) -> Ident {
    format_ident!("__THROTTLE_LIMIT_{}", index + 1, span = Span::mixed_site())
}

/// Returns the expressions of a rule that only the compiler can evaluate.
fn computed(limited: &Limited) -> Option<TokenStream> {
    match &limited.spec {
        LimitSpec::Rate(rate) => {
            let after = rate.slow_down.as_ref().map(|slow_down| &slow_down.after);
            let after = after.filter(|after| after.known().is_none());
            let all = [
                limit::computed(rate.numbers.written()?),
                after.map(ToTokens::to_token_stream),
            ];
            let all: TokenStream = all.into_iter().flatten().collect();
            (!all.is_empty()).then_some(all)
        }
        LimitSpec::Concurrency(ConcurrencySpec { max, .. }) => {
            max.known().is_none().then(|| max.to_token_stream())
        }
    }
}

/// Emits the type and the value of a written limit.
fn value(
    limited: &Limited,
    label: &Label,
    anchor: &TokenStream,
    form: Form,
    private: &TokenStream,
) -> Option<(TokenStream, TokenStream)> {
    Some(match &limited.spec {
        LimitSpec::Rate(rate) => {
            let written = rate.numbers.written()?;
            let value = limit(written, label, anchor, form, private);
            (quote!(Limit), value)
        }
        LimitSpec::Concurrency(spec) => {
            let value = concurrency(spec, label, anchor, form, private);
            (quote!(Concurrency), value)
        }
    })
}

/// Returns the paths of the user's functions and statics in a rule, and its `slow_after`.
fn functions(rule: &Rule) -> TokenStream {
    let identifier = rule.identifier.iter().flat_map(|it| it.paths());
    let limited = match &rule.quota {
        RuleQuota::Unlimited(_) => None,
        RuleQuota::Limited(limited) => Some(&**limited),
    };
    let rate = rule.rate();
    let (skip_if, on_limited) = limited
        .map(|it| (it.skip_if.as_ref(), it.on_limited.as_ref()))
        .unzip();
    let (cost, dynamic) = rate
        .map(|it| (it.cost.as_ref(), it.dynamic.as_ref()))
        .unzip();
    let functions = [skip_if, on_limited, cost, dynamic].into_iter().flatten();
    let functions = functions.flatten().chain(identifier);
    let slow_down = rate.and_then(|rate| rate.slow_down.as_ref());
    let after = slow_down.map(|slow_down| slow_down.after.to_token_stream());
    let functions = functions.map(ToTokens::to_token_stream);
    functions.chain(after).collect()
}
