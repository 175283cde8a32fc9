//! Checks the rules of one entry of a middleware, as code or a configuration file gives them, and
//! names the entry. The middleware calls it for rules, and the parser of a file for specs, so both
//! find the same errors.

use std::fmt;

use crate::{
    identity::Identity,
    intern::intern,
    key::Key,
    limit::{
        AnyLimit, PermitId, SlowDown,
        range::{NO_SLOW_DOWN, SETTLE_WITH_LEASE},
    },
};

/// A rule or its spec, with the default names of its entry.
pub trait CheckedRule {
    fn group(&self) -> Option<&str>;
    fn is_unlimited(&self) -> bool;
    /// Returns the limit. `None` if there is none, or only its name is known.
    fn limit(&self) -> Option<AnyLimit>;
    /// Returns whether the cost is an estimate.
    fn settles(&self) -> bool;
    /// Returns the words of the rule's slow-down.
    fn slow_down(&self) -> SlowDown;
    /// Returns what is wrong with the identifier.
    fn identifier_problem(&self) -> Option<String>;
    /// Returns whether both rules surely find the same identity.
    fn has_identifier_of(&self, other: &Self) -> bool;
}

/// Checks the rules of the entry with this label.
///
/// # Errors
///
/// The first problem that is found, with the entry's label.
pub fn check(label: &str, shadow: bool, rules: &[impl CheckedRule]) -> Result<(), String> {
    let problem =
        |what: &dyn fmt::Display| Err(format!("the entry `{label}` of a `Throttle`: {what}"));
    if rules.is_empty() {
        return problem(
            &"it has no rule; give it one, or leave its requests alone by `exempt_paths`",
        );
    }
    if shadow && rules.iter().all(CheckedRule::is_unlimited) {
        return problem(&"a shadow that limits nobody counts nothing; give it a limit");
    }
    for (index, rule) in rules.iter().enumerate() {
        if let Some(what) = rule.identifier_problem() {
            return problem(&what);
        }
        let before = &rules[..index];
        if rule.is_unlimited() {
            has_effect(rule, rules, before).or_else(|what| problem(&what))?;
        }
        // A limit that a configuration names was validated by that configuration.
        let Some(limit) = rule.limit() else {
            continue;
        };
        let called = match &limit {
            AnyLimit::Rate(limit) => limit.policy_name(),
            AnyLimit::Concurrency(limit) => limit.policy_name(),
        };
        let called = called.unwrap_or(label);
        let of_limit = |what: &dyn fmt::Display| problem(&format!("the limit `{called}`: {what}"));
        if let Err(error) = limit.as_ref_with(PermitId::new()).validate() {
            return of_limit(&error);
        }
        if let AnyLimit::Rate(limit) = &limit
            && let Err(error) = limit.validate_cost()
        {
            return of_limit(&error);
        }
        if let AnyLimit::Rate(limit) = &limit
            && limit.lease_size() > 0
            && rule.settles()
        {
            return of_limit(&SETTLE_WITH_LEASE);
        }
        let slow_down = rule.slow_down();
        match &limit {
            AnyLimit::Rate(limit) => {
                if let Err(error) = slow_down.check(Some(limit)) {
                    return of_limit(&error);
                }
            }
            AnyLimit::Concurrency(_) if slow_down.is_empty() => {}
            AnyLimit::Concurrency(_) => return of_limit(&NO_SLOW_DOWN),
        }
        if before.iter().any(|other| shares_counter(other, rule)) {
            return match limit {
                AnyLimit::Rate(_) => of_limit(
                    &"it would share its counter with another one of this entry: give it another \
                      window, algorithm, identifier, group or zone",
                ),
                AnyLimit::Concurrency(_) => of_limit(
                    &"it would share its permits with another one of this entry: give it another \
                      identifier, group or zone",
                ),
            };
        }
    }
    Ok(())
}

/// Whether an unlimited rule has an effect; `Err` says why not.
fn has_effect<R: CheckedRule>(rule: &R, rules: &[R], before: &[R]) -> Result<(), String> {
    let group = rule.group().unwrap_or_default();
    let same = |other: &&R| other.group() == rule.group();
    if before.iter().filter(same).any(CheckedRule::is_unlimited) {
        return Err(format!(
            "the group `{group}` is unlimited twice; once is enough"
        ));
    }
    if rules.iter().filter(same).any(|one| !one.is_unlimited()) {
        return Err(format!(
            "the group `{group}` is both unlimited and limited; leave one of the two out"
        ));
    }
    Ok(())
}

/// Whether both rules can apply to one request, and then surely count it in one counter.
fn shares_counter<R: CheckedRule>(one: &R, other: &R) -> bool {
    if one.group() != other.group() || !one.has_identifier_of(other) {
        return false;
    }
    let anyone = Identity::global();
    match (one.limit(), other.limit()) {
        (Some(AnyLimit::Rate(one)), Some(AnyLimit::Rate(other))) => {
            Key::counter(&anyone, &one).is_same(&Key::counter(&anyone, &other))
        }
        (Some(AnyLimit::Concurrency(one)), Some(AnyLimit::Concurrency(other))) => {
            Key::permits(&anyone, &one).is_same(&Key::permits(&anyone, &other))
        }
        _ => false,
    }
}

/// Returns the name and zone of an entry's limits that have none of their own: the entry's name, or
/// else its default label. If an earlier entry has the default label, a number is added, so that no
/// two entries share a counter by accident.
///
/// # Errors
///
/// If an earlier entry has the name.
pub fn label(
    name: Option<&str>,
    default: &str,
    is_taken: impl Fn(&str) -> bool,
) -> Result<&'static str, String> {
    if let Some(name) = name {
        if is_taken(name) {
            return Err(format!(
                "two entries of a `Throttle` are named `{name}`, and would count together; name one \
                 of them otherwise, or give the limits that are to share a counter a `zone`"
            ));
        }
        return Ok(intern(name));
    }
    // Names are printable ASCII; a regex need not be.
    let text: String = default.chars().map(printable).collect();
    let numbered = (2..).map(|number| format!("{text} #{number}"));
    let mut labels = std::iter::once(text.clone()).chain(numbered);
    let free = labels.find(|label| !is_taken(label));
    Ok(intern(&free.unwrap_or(text)))
}

/// Returns the name of the limit with this number among the limits of an entry, from 1.
pub fn name_of_limit(label: &'static str, number: usize) -> &'static str {
    match number {
        0 | 1 => label,
        number => intern(&format!("{label}-{number}")),
    }
}

fn printable(character: char) -> String {
    match character {
        ' '..='~' => character.to_string(),
        other => other.escape_default().to_string(),
    }
}
