//! Checks the rules of one handler against each other: no two may share a counter.

use super::{
    identifier::Identifier,
    limit::WrittenLimit,
    rate::RateSpec,
    rule::{LimitSpec, Limited, Rule, RuleQuota},
};
use crate::errors::Errors;

/// Two rules, by index, that share a counter unless the compiler finds different windows.
pub(crate) struct DeferredCheck {
    pub(crate) first: usize,
    pub(crate) second: usize,
}

/// Advice about a shared counter. The compiler also prints it for a deferred pair.
pub(crate) const SHARED: &str = "this limit would share its counter with another one on this \
    handler: give it another window, algorithm, identifier, group or zone";

/// Advice about a configured limit that is named twice, whose numbers are not in the attribute.
const SAME_NAME: &str = "this limit of the configuration is named on this handler already, and \
    would share its counter with itself: give it another identifier, group or zone";

/// Advice about two concurrency limits with the same permits. Their `max` does not tell them apart.
const SHARED_PERMITS: &str = "this limit would share its permits with another one on this handler: \
    give it another identifier, group or zone";

/// Whether two limits share a counter.
enum Share {
    No,
    /// The limits share a counter, unless the compiler finds different windows.
    IfWindowsEqual,
    Yes(&'static str),
}

/// Reports pairs that certainly share a counter, and returns pairs that may.
///
/// The runtime compares a configured limit with a written one.
pub(crate) fn check(rules: &[Rule], errors: &mut Errors) -> Vec<DeferredCheck> {
    let mut deferred = Vec::new();
    for (second, rule) in rules.iter().enumerate() {
        let mut shared = None;
        for (first, earlier) in rules[..second].iter().enumerate() {
            if fingerprint(earlier) != fingerprint(rule) {
                continue;
            }
            match share_but_for_identity(earlier, rule) {
                Share::No => {}
                Share::IfWindowsEqual => deferred.push(DeferredCheck { first, second }),
                Share::Yes(message) => shared = Some(message),
            }
        }
        if let Some(message) = shared {
            errors.at(&rule.anchor, message);
        }
    }
    deferred
}

/// Returns the suffix of a limit's default zone: the function or static that identifies. It is
/// needed where another limit of the handler differs in the identifier only. Both identifiers may
/// return equal identities, such as a user and a tenant `42`, and would then share a counter.
pub(crate) fn zone_suffix(rules: &[Rule], index: usize) -> Option<String> {
    let rule = rules.get(index)?;
    let own = rule.identifier.as_ref()?.own()?;
    let confusable = |other: &Rule| match &other.identifier {
        // Only the runtime knows the limiter's own identifier.
        None => true,
        Some(other) => other.own().is_some_and(|other| other != own),
    };
    let zoned = matches!(&rule.quota, RuleQuota::Limited(limited) if limited.label.zone.is_some());
    let shares = |other: &Rule| !matches!(share_but_for_identity(rule, other), Share::No);
    (!zoned && rules.iter().any(|other| confusable(other) && shares(other)))
        .then(|| own.replace(' ', ""))
}

fn fingerprint(rule: &Rule) -> Option<String> {
    rule.identifier.as_ref().map(Identifier::fingerprint)
}

/// Returns whether two limits share a counter if both count the same identity.
fn share_but_for_identity(one: &Rule, other: &Rule) -> Share {
    let (RuleQuota::Limited(one), RuleQuota::Limited(other)) = (&one.quota, &other.quota) else {
        return Share::No;
    };
    let counter = |limited: &Limited| {
        let [group, zone] = [&limited.group, &limited.label.zone];
        [group, zone].map(|text| text.as_ref().map(syn::LitStr::value))
    };
    if counter(one) != counter(other) {
        return Share::No;
    }
    match (&one.spec, &other.spec) {
        (LimitSpec::Rate(one), LimitSpec::Rate(other)) => same_rate(one, other),
        (LimitSpec::Concurrency(one), LimitSpec::Concurrency(other))
            if one.shadow == other.shadow =>
        {
            Share::Yes(SHARED_PERMITS)
        }
        // A rate and a concurrency limit never share a counter.
        _ => Share::No,
    }
}

fn same_rate(one: &RateSpec, other: &RateSpec) -> Share {
    let named = |rate: &RateSpec| rate.numbers.named().map(syn::LitStr::value);
    if named(one).is_some() && named(one) == named(other) {
        Share::Yes(SAME_NAME)
    } else {
        // A fallback is an ordinary limit if there is no configuration.
        match (one.numbers.written(), other.numbers.written()) {
            (Some(one), Some(other)) => same_counter(one, other),
            _ => Share::No,
        }
    }
}

fn same_counter(one: &WrittenLimit, other: &WrittenLimit) -> Share {
    const ANY_WINDOW: u64 = 1;
    let shares = |one_window, other_window| {
        let other = other.with_window(other_window);
        one.with_window(one_window).shares_counter_with(&other)
    };
    match (one.window.known_micros(), other.window.known_micros()) {
        (Some(one), Some(other)) if shares(one, other) => Share::Yes(SHARED),
        (Some(_), Some(_)) => Share::No,
        _ if shares(ANY_WINDOW, ANY_WINDOW) => Share::IfWindowsEqual,
        _ => Share::No,
    }
}
