//! The rules of one handler together: no two of them may share a counter.

use crate::{
    errors::Errors,
    identifier::Identifier,
    limit::Limit,
    rule::{Bound, Limited, Quota, Rule},
    started::Started,
};

/// Two rules, by their places, that share a counter unless their windows turn out to differ.
pub(crate) struct Undecided {
    pub(crate) first: usize,
    pub(crate) second: usize,
}

/// What to do about a shared counter. It is also what the compiler prints for an undecided pair.
pub(crate) const SHARED: &str = "this limit would share its counter with another one on this \
    handler: give it another window, algorithm, identifier, group or zone";

/// The same about two limits of the configuration, whose numbers are not here to be changed.
const SAME_NAME: &str = "this limit of the configuration is named on this handler already, and \
    would share its counter with itself: give it another identifier, group or zone";

/// The same about two that count what runs: each keeps one list of it, whatever its `max`.
const SAME_PLACES: &str = "this limit would share its places with another one on this handler: \
    give it another identifier, group or zone";

/// Whether two limits count in one.
enum Share {
    No,
    /// Unless the compiler finds that their windows differ.
    Maybe,
    Yes(&'static str),
}

/// Records the pairs that share a counter for certain and returns those that only might.
///
/// A limit of the configuration beside a written one is for the runtime to compare.
pub(crate) fn check(rules: &[Rule], errors: &mut Errors) -> Vec<Undecided> {
    let mut undecided = Vec::new();
    for (second, rule) in rules.iter().enumerate() {
        let mut shared = None;
        for (first, earlier) in rules[..second].iter().enumerate() {
            if who(earlier) != who(rule) {
                continue;
            }
            match share_but_for_identity(earlier, rule) {
                Share::No => {}
                Share::Maybe => undecided.push(Undecided { first, second }),
                Share::Yes(message) => shared = Some(message),
            }
        }
        if let Some(message) = shared {
            errors.at(&rule.anchor, message);
        }
    }
    undecided
}

/// What sets the default zone of a limit apart from those of others on its handler: the function or
/// static that identifies, where another limit differs in nothing but that. Two of them may well name
/// the same identity, a user and a tenant `42` say, and would then count in one.
pub(crate) fn apart(rules: &[Rule], place: usize) -> Option<String> {
    let rule = rules.get(place)?;
    let own = rule.identifier.as_ref()?.own()?;
    let confusable = |other: &Rule| match &other.identifier {
        // What the limiter's own identifier is, only the runtime knows.
        None => true,
        Some(other) => other.own().is_some_and(|other| other != own),
    };
    let zoned = matches!(&rule.quota, Quota::Limited(limited) if limited.label.zone.is_some());
    let shares = |other: &Rule| !matches!(share_but_for_identity(rule, other), Share::No);
    (!zoned && rules.iter().any(|other| confusable(other) && shares(other)))
        .then(|| own.replace(' ', ""))
}

fn who(rule: &Rule) -> Option<String> {
    rule.identifier.as_ref().map(Identifier::fingerprint)
}

/// Whether two limits count in one as soon as they count the same identity.
fn share_but_for_identity(one: &Rule, other: &Rule) -> Share {
    let (Quota::Limited(one), Quota::Limited(other)) = (&one.quota, &other.quota) else {
        return Share::No;
    };
    let place = |limited: &Limited| {
        let [group, zone] = [&limited.group, &limited.label.zone];
        [group, zone].map(|text| text.as_ref().map(syn::LitStr::value))
    };
    if place(one) != place(other) {
        return Share::No;
    }
    match (&one.bound, &other.bound) {
        (Bound::Started(one), Bound::Started(other)) => same_rate(one, other),
        (Bound::Running(one), Bound::Running(other)) if one.shadow == other.shadow => {
            Share::Yes(SAME_PLACES)
        }
        // What starts and what runs is counted apart.
        _ => Share::No,
    }
}

fn same_rate(one: &Started, other: &Started) -> Share {
    let named = |started: &Started| started.numbers.named().map(syn::LitStr::value);
    if named(one).is_some() && named(one) == named(other) {
        Share::Yes(SAME_NAME)
    } else {
        // Without a configuration, a fallback is a limit like others.
        match (one.numbers.written(), other.numbers.written()) {
            (Some(one), Some(other)) => same_part_of_key(one, other),
            _ => Share::No,
        }
    }
}

fn same_part_of_key(one: &Limit, other: &Limit) -> Share {
    let kind = |limit: &Limit| (limit.algorithm, limit.refill, limit.shadow);
    if kind(one) != kind(other) {
        return Share::No;
    }
    match (one.window.known_micros(), other.window.known_micros()) {
        (Some(one), Some(other)) if one == other => Share::Yes(SHARED),
        (Some(_), Some(_)) => Share::No,
        _ => Share::Maybe,
    }
}
