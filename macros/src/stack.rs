//! The rules of one handler together: no two of them may share a counter.

use crate::{
    errors::Errors,
    identifier::Identifier,
    rule::{Limited, Quota, Rule},
};

/// Two rules, by their places, that share a counter unless their windows turn out to differ.
pub(crate) struct Undecided {
    pub(crate) first: usize,
    pub(crate) second: usize,
}

/// What to do about a shared counter. It is also what the compiler prints for an undecided pair.
pub(crate) const SHARED: &str = "this limit would share its counter with another one on this \
    handler: give it another window, algorithm, identifier, group or zone";

/// Records the pairs that share a counter for certain and returns those that only might.
pub(crate) fn check(rules: &[Rule], errors: &mut Errors) -> Vec<Undecided> {
    let mut undecided = Vec::new();
    for (second, rule) in rules.iter().enumerate() {
        let mut shared = false;
        for (first, earlier) in rules[..second].iter().enumerate() {
            let Some((one, other)) = alike(earlier, rule) else {
                continue;
            };
            match (
                one.limit.window.known_micros(),
                other.limit.window.known_micros(),
            ) {
                (Some(one), Some(other)) => shared |= one == other,
                _ => undecided.push(Undecided { first, second }),
            }
        }
        if shared {
            errors.at(&rule.anchor, SHARED);
        }
    }
    undecided
}

/// What sets the default zone of a limit apart from those of others on its handler: the function
/// that identifies, where another limit differs in nothing but that. Two functions may well name
/// the same identity, a user and a tenant `42` say, and would then count in one.
pub(crate) fn apart(rules: &[Rule], place: usize) -> Option<String> {
    let rule = rules.get(place)?;
    let Some(Identifier::Function(path)) = &rule.identifier else {
        return None;
    };
    let confusable = |other: &Rule| match &other.identifier {
        // What the limiter's own identifier is, only the runtime knows.
        None => true,
        Some(Identifier::Function(function)) => function != path,
        Some(Identifier::Plain(_) | Identifier::Named(..)) => false,
    };
    let same_window = |other: &Rule| {
        same_but_identifier(rule, other).is_some_and(|(one, other)| {
            let micros = |limited: &Limited| limited.limit.window.known_micros();
            let (one, two) = (micros(one), micros(other));
            one.is_none() || two.is_none() || one == two
        })
    };
    let zoned = matches!(&rule.quota, Quota::Limited(limited) if limited.limit.zone.is_some());
    let name = quote::quote!(#path).to_string().replace(' ', "");
    (!zoned
        && rules
            .iter()
            .any(|other| confusable(other) && same_window(other)))
    .then_some(name)
}

/// Both limits, if all that makes a counter's key is the same but the window.
fn alike<'a>(one: &'a Rule, other: &'a Rule) -> Option<(&'a Limited, &'a Limited)> {
    let who = |rule: &Rule| rule.identifier.as_ref().map(Identifier::fingerprint);
    same_but_identifier(one, other).filter(|_| who(one) == who(other))
}

/// Both limits, if all that makes a counter's key is the same but the window and the identity.
fn same_but_identifier<'a>(one: &'a Rule, other: &'a Rule) -> Option<(&'a Limited, &'a Limited)> {
    let (Quota::Limited(first), Quota::Limited(second)) = (&one.quota, &other.quota) else {
        return None;
    };
    let key = |limited: &Limited| {
        let limit = &limited.limit;
        (
            limited.group.as_ref().map(syn::LitStr::value),
            limit.zone.as_ref().map(syn::LitStr::value),
            (limit.algorithm, limit.refill),
            limit.shadow,
        )
    };
    (key(first) == key(second)).then_some((first, second))
}
